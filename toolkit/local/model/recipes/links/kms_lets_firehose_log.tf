#: link kms_key firehose_stream
#into a statements

statement {
  sid       = "FirehoseLogs__b_camel__"
  actions   = ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"]
  resources = ["*"]

  principals {
    type        = "Service"
    identifiers = ["logs.${var.region}.amazonaws.com"]
  }

  condition {
    test     = "ArnLike"
    variable = "kms:EncryptionContext:aws:logs:arn"
    values   = ["arn:${data.aws_partition.current.partition}:logs:${var.region}:${data.aws_caller_identity.current.account_id}:log-group:/aws/kinesisfirehose/__b_name__"]
  }
}
#end into
