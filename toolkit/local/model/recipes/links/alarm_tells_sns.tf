#: link metric_alarm sns_topic
#into b statements
statement {
  sid       = "Receive__a_camel__"
  actions   = ["sns:Publish"]
  resources = [__b_arn__]

  principals {
    type        = "Service"
    identifiers = ["cloudwatch.amazonaws.com"]
  }

  condition {
    test     = "ArnEquals"
    variable = "aws:SourceArn"
    values   = [__a_arn__]
  }
}
#end into
