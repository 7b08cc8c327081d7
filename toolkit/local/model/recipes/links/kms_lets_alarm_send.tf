#: link kms_key metric_alarm
#into a statements

statement {
  sid       = "Alarm__b_camel__"
  actions   = ["kms:Decrypt", "kms:GenerateDataKey*"]
  resources = ["*"]

  principals {
    type        = "Service"
    identifiers = ["cloudwatch.amazonaws.com"]
  }

  condition {
    test     = "StringEquals"
    variable = "aws:SourceAccount"
    values   = [data.aws_caller_identity.current.account_id]
  }
}
#end into
