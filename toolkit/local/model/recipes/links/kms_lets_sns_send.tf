#: link kms_key sns_topic
#into a statements

statement {
  sid       = "Sns__b_camel__"
  actions   = ["kms:Decrypt", "kms:GenerateDataKey*"]
  resources = ["*"]

  principals {
    type        = "Service"
    identifiers = ["sns.amazonaws.com"]
  }

  condition {
    test     = "StringEquals"
    variable = "aws:SourceAccount"
    values   = [data.aws_caller_identity.current.account_id]
  }
}
#end into
