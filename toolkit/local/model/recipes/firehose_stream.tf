#: title   Firehose delivery stream
#: words   (?:(?:amazon|aws|kinesis|data) ){0,5}fire ?hose(?: (?:delivery|data)){0,5}(?: streams?)? | delivery streams?
#: file    firehose
#: base    events
#: one     yes
#: option  compression GZIP = gzip\w*(?: compress\w+)? => GZIP | snappy(?: compress\w+)? => Snappy | zip compress\w+ => ZIP | uncompressed => UNCOMPRESSED | compress\w+ => GZIP
#: option  buffer_mb 5 = <mb>(?: of)? (?:buffer\w*|size) | buffer\w*(?: [a-z]+){0,3} <mb>
#: option  buffer_seconds 300 = <seconds> (?:buffer\w*|interval) | (?:interval|buffer\w*)(?: [a-z]+){0,3} <seconds>
#: option  prefix "" = prefix(?: of| is| =|:)? (@\d+@|[\w/=!{}.-]+/)
#: option  encryption on = (?:server side )?(?:encrypted|encryption)(?: at rest)?
#: option  log_days 30 = <days> log retention
#: takes   deliver\w* | buffer\w*(?: of)? | intervals? | streams? | to s3 | destination | compress\w+
#: owns    (?:with|and)(?: an?| its| the)?(?: (?:iam|service|execution|example|cluster|node|required|necessary)){0,3} roles?(?! (?:for|that|which|named|called|to)) | kinesis | data streams?(?= to s3)
#: needs   bucket s3_bucket
#: uses    covers log_group
#: uses    key kms_key
#: actor   yes
#: export  arn aws_kinesis_firehose_delivery_stream.__label__.arn
#: export  id aws_kinesis_firehose_delivery_stream.__label__.name
#: lacks   the emulator forgets the time zone of a stream: the second plan is not empty
#: fails   CKV_AWS_241 a key of one's own costs money: ask for a KMS key
data "aws_caller_identity" "current" {}

data "aws_iam_policy_document" "__label___firehose_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["firehose.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "sts:ExternalId"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

resource "aws_iam_role" "__label___firehose" {
  name               = "__name__-firehose"
  assume_role_policy = data.aws_iam_policy_document.__label___firehose_assume.json
}

resource "aws_cloudwatch_log_group" "__label___firehose" {
  name              = "/aws/kinesisfirehose/__name__"
  retention_in_days = __log_days__
  #if key
  kms_key_id = __key_arn__
  #end
}

resource "aws_cloudwatch_log_stream" "__label___firehose" {
  name           = "delivery"
  log_group_name = aws_cloudwatch_log_group.__label___firehose.name
}

data "aws_iam_policy_document" "__label___firehose" {
  statement {
    sid = "DeliverToS3"
    actions = [
      "s3:AbortMultipartUpload",
      "s3:GetBucketLocation",
      "s3:GetObject",
      "s3:ListBucket",
      "s3:ListBucketMultipartUploads",
      "s3:PutObject",
    ]
    resources = [__bucket_arn__, "${__bucket_arn__}/*"]
  }

  statement {
    sid       = "WriteLogs"
    actions   = ["logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.__label___firehose.arn}:*"]
  }
  #if key

  statement {
    sid       = "UseKey"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [__key_arn__]
  }
  #end
}

resource "aws_iam_role_policy" "__label___firehose" {
  name   = "__name__-firehose"
  role   = aws_iam_role.__label___firehose.id
  policy = data.aws_iam_policy_document.__label___firehose.json
}

resource "aws_kinesis_firehose_delivery_stream" "__label__" {
  name        = "__name__"
  destination = "extended_s3"
  #if encryption or key

  server_side_encryption {
    enabled = true
    #if key
    key_type = "CUSTOMER_MANAGED_CMK"
    key_arn  = __key_arn__
    #end
  }
  #end

  extended_s3_configuration {
    role_arn           = aws_iam_role.__label___firehose.arn
    bucket_arn         = __bucket_arn__
    buffering_size     = __buffer_mb__
    buffering_interval = __buffer_seconds__
    compression_format = "__compression__"
    #if prefix
    prefix              = "__prefix__"
    error_output_prefix = "errors/"
    #end

    cloudwatch_logging_options {
      enabled         = true
      log_group_name  = aws_cloudwatch_log_group.__label___firehose.name
      log_stream_name = aws_cloudwatch_log_stream.__label___firehose.name
    }
  }

  # A delivery that starts before the role has its policy fails.
  depends_on = [aws_iam_role_policy.__label___firehose]
}

output "__label___delivery_stream_arn" {
  description = "ARN of the delivery stream __name__."
  value       = aws_kinesis_firehose_delivery_stream.__label__.arn
}
