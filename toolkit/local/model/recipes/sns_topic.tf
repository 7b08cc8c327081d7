#: title   SNS topic
#: words   sns topics? | topics? | sns
#: hints   topic polic(?:y|ies)
#: file    sns
#: base    notifications
#: option  fifo off = fifo topics? | fifo sns
#: option  email "" = (?:e ?mails?|subscri\w+)(?: [a-z]+){0,4} ([\w.+-]+@[\w-]+\.[\w.-]*\w) | ([\w.+-]+@[\w-]+\.[\w.-]*\w)
#: option  encryption on = (?:server side )?(?:encrypted|encryption)(?: at rest)?
#: takes   content based dedup\w* | subscri\w+ | sends? | sending | receives?
#: uses    key kms_key
#: export  arn aws_sns_topic.__label__.arn
resource "aws_sns_topic" "__label__" {
  #if fifo
  name                        = "__stem__.fifo"
  fifo_topic                  = true
  content_based_deduplication = true
  #else
  name = "__name__"
  #end
  #if key
  kms_master_key_id = __key_arn__
  #else
  #if encryption and not statements
  kms_master_key_id = "alias/aws/sns"
  #end
  #end
}

#if statements
data "aws_iam_policy_document" "__label___topic" {
  #slot statements
}

resource "aws_sns_topic_policy" "__label__" {
  arn    = aws_sns_topic.__label__.arn
  policy = data.aws_iam_policy_document.__label___topic.json
}

#end
#if email
resource "aws_sns_topic_subscription" "__label___email" {
  topic_arn = aws_sns_topic.__label__.arn
  protocol  = "email"
  endpoint  = "__email__"
}

#end
output "__label___topic_arn" {
  description = "ARN of the SNS topic __name__."
  value       = aws_sns_topic.__label__.arn
}
