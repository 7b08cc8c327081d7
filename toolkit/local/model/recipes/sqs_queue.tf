#: title   SQS queue
#: words   (?:fifo |standard )?sqs queues? | (?:fifo |standard |message |work )?queues? | sqs
#: hints   dead letter queues?(?: \(?dlqs?\)?)? | dead letters? | dlqs? | queue polic(?:y|ies)
#: file    sqs
#: base    events
#: option  dlq on = dead letter(?: queues?)? | dlqs? | redrive(?: policy)?
#: option  fifo off = fifo
#: option  max_receive 5 = max(?:imum)?(?: |_)?receive(?: |_)?counts?(?: of| is| to| =|:)? <int> | (?:after|of) <int> (?:failed )?(?:attempts|retries|receives|tries) | <int> (?:failed )?(?:receive )?(?:retries|attempts|receives)
#: option  visibility_seconds 60 = visibility(?: |_)?time ?out(?: seconds)?(?: of| is| to| =|:)? <seconds> | <seconds> visibility(?: time ?out)? | visibility(?: |_)?time ?out(?:_seconds)?(?: of| is| to| =|:)? <int>
#: option  retention_seconds 345600 = <seconds> (?:message )?retention(?: period)? | (?:message )?retention(?: period)?(?: of| is| to| =|:)? <seconds> | (?:keep|retain)\w* (?:the )?messages (?:for )?<seconds>
#: option  delay_seconds 0 = delay(?: seconds)?(?: of| is| to| =|:)? <seconds> | <seconds> (?:delivery )?delay
#: option  encryption on = (?:server side )?(?:encrypted|encryption)(?: at rest)? | sse sqs
#: takes   content based dedup\w* | messages? go(?:es)? to(?: the)? | go(?:es)? to(?: the)? | subscri\w+ | sends? | sending | receives?
#: uses    key kms_key
#: export  arn aws_sqs_queue.__label__.arn
#: export  name aws_sqs_queue.__label__.name
#: export  dead_name __dead_name__
#: export  url aws_sqs_queue.__label__.url
#if dlq
resource "aws_sqs_queue" "__label___dlq" {
  #if fifo
  name                        = "__stem__-dlq.fifo"
  fifo_queue                  = true
  content_based_deduplication = true
  #else
  name = "__stem__-dlq"
  #end
  message_retention_seconds = 1209600
  #if key
  kms_master_key_id = __key_arn__
  #else
  #if encryption
  sqs_managed_sse_enabled = true
  #end
  #end
}

resource "aws_sqs_queue_redrive_allow_policy" "__label___dlq" {
  queue_url = aws_sqs_queue.__label___dlq.id

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.__label__.arn]
  })
}

#end
resource "aws_sqs_queue" "__label__" {
  #if fifo
  name                        = "__stem__.fifo"
  fifo_queue                  = true
  content_based_deduplication = true
  #else
  name = "__name__"
  #end
  visibility_timeout_seconds = __visibility_seconds__
  message_retention_seconds  = __retention_seconds__
  #if delay_seconds
  delay_seconds = __delay_seconds__
  #end
  receive_wait_time_seconds = 20
  #if key
  kms_master_key_id = __key_arn__
  #else
  #if encryption
  sqs_managed_sse_enabled = true
  #end
  #end
  #if dlq

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.__label___dlq.arn
    maxReceiveCount     = __max_receive__
  })
  #end
}

data "aws_iam_policy_document" "__label___queue" {
  statement {
    sid       = "DenyInsecureTransport"
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = [aws_sqs_queue.__label__.arn]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
  #slot statements
}

resource "aws_sqs_queue_policy" "__label__" {
  queue_url = aws_sqs_queue.__label__.id
  policy    = data.aws_iam_policy_document.__label___queue.json
}

output "__label___queue_url" {
  description = "URL of the SQS queue __name__."
  value       = aws_sqs_queue.__label__.url
}

output "__label___queue_arn" {
  description = "ARN of the SQS queue __name__."
  value       = aws_sqs_queue.__label__.arn
}
