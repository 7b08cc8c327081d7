#: link   sns_topic lambda_function
#: else   sns_feeds_sqs
#: beside metric_alarm = (?:topics?|sns)(?: [a-z]+){0,3} (?:calls?|invokes?|triggers?|runs?|starts?|to)(?: [\w@]+){0,4} (?:lambdas?|functions?) | (?:lambdas?|functions?)(?: [\w@]+){0,4} (?:subscri\w+|triggered by|invoked by)(?: [a-z]+){0,3} (?:topics?|sns)
#: unless (?:lambdas?|functions?|@\d+@)(?: (?:that|which|to|and))?(?: [a-z]+){0,2} (?:send|sends|sending|publish|publishes|publishing|push|pushes|write|writes|notifies)(?: [a-z]+){0,4} (?:topics?|sns)
resource "aws_sns_topic_subscription" "__a_label_____b_label__" {
  topic_arn = __a_arn__
  protocol  = "lambda"
  endpoint  = __b_arn__
}

resource "aws_lambda_permission" "__a_label_____b_label___sns" {
  statement_id  = "AllowSns__a_camel__"
  action        = "lambda:InvokeFunction"
  function_name = __b_id__
  principal     = "sns.amazonaws.com"
  source_arn    = __a_arn__
}
