#: link event_rule sqs_queue
#: else event_calls_lambda
#into b statements

statement {
  sid       = "Receive__a_camel__"
  actions   = ["sqs:SendMessage"]
  resources = [__b_arn__]

  principals {
    type        = "Service"
    identifiers = ["events.amazonaws.com"]
  }

  condition {
    test     = "ArnEquals"
    variable = "aws:SourceArn"
    values   = [__a_arn__]
  }
}
#end into
resource "aws_cloudwatch_event_target" "__a_label_____b_label__" {
  rule = __a_id__
  arn  = __b_arn__
}
