#: link iam_role sns_topic
#into a statements
statement {
  sid       = "Publish__b_camel__"
  actions   = ["sns:Publish"]
  resources = [__b_arn__]
}
#end into
