#: link kms_key s3_bucket
#: when notif\w+ | events? | trigger\w*
#into a statements

statement {
  sid       = "S3__b_camel__"
  actions   = ["kms:Decrypt", "kms:GenerateDataKey*"]
  resources = ["*"]

  principals {
    type        = "Service"
    identifiers = ["s3.amazonaws.com"]
  }

  condition {
    test     = "StringEquals"
    variable = "aws:SourceAccount"
    values   = [data.aws_caller_identity.current.account_id]
  }
}
#end into
