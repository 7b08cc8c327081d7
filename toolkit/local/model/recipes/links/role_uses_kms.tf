#: link iam_role kms_key
#into a statements
statement {
  sid       = "UseKey__b_camel__"
  actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
  resources = [__b_arn__]
}
#end into
