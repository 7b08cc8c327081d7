#: link sns_topic sqs_queue
#: else s3_notifies_sqs
#: beside metric_alarm = fans? out | (?:topics?|sns)(?: [a-z]+){0,3} (?:feeds?|forwards?|delivers?|sends?|publish\w*|to)(?: [\w@]+){0,4} (?:queues?|sqs) | (?:queues?|sqs)(?: [\w@]+){0,4} subscri\w+ | subscri\w+(?: [a-z]+){0,4} (?:queues?|sqs)
#into b statements

statement {
  sid       = "Receive__a_camel__"
  actions   = ["sqs:SendMessage"]
  resources = [__b_arn__]

  principals {
    type        = "Service"
    identifiers = ["sns.amazonaws.com"]
  }

  condition {
    test     = "ArnEquals"
    variable = "aws:SourceArn"
    values   = [__a_arn__]
  }
}
#end into
resource "aws_sns_topic_subscription" "__a_label_____b_label__" {
  topic_arn = __a_arn__
  protocol  = "sqs"
  endpoint  = __b_arn__
}
