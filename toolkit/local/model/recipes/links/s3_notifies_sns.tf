#: link   s3_bucket sns_topic
#: when   (?:s3|buckets?)(?: (?!lambdas?\b|functions?\b)[a-z0-9@,]+){0,8} (?:send|sends|sending|notif\w+|publish\w*|trigger\w*|events?|message)(?: (?!lambdas?\b|functions?\b)[a-z0-9@]+){0,8} (?:sns|topics?) | (?:uploads?|objects?|s3|bucket) (?:created )?(?:events?|notifications?) | (?:sns|topics?|notif\w+|e ?mails?)(?: (?!lambdas?\b|functions?\b)[\w@.+-]+){0,8} (?:when|whenever|if|on|upon|every time|each time)(?: [a-z]+){0,2} (?:objects?|files?|uploads?|images?)(?: (?:is|are|get|gets))? ?(?:created|uploaded|added|put|lands?|arrives?)?
#into b statements
statement {
  sid       = "Receive__a_camel__"
  actions   = ["sns:Publish"]
  resources = [__b_arn__]

  principals {
    type        = "Service"
    identifiers = ["s3.amazonaws.com"]
  }

  condition {
    test     = "ArnEquals"
    variable = "aws:SourceArn"
    values   = [__a_arn__]
  }
}
#end into
#into a notifications
topic {
  topic_arn = __b_arn__
  events    = ["s3:ObjectCreated:*"]
}
#end into
#into a permissions
aws_sns_topic_policy.__b_label__,
#end into
