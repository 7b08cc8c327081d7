#: link event_rule lambda_function
resource "aws_cloudwatch_event_target" "__a_label_____b_label__" {
  rule = __a_id__
  arn  = __b_arn__
}

resource "aws_lambda_permission" "__a_label_____b_label___events" {
  statement_id  = "AllowEvents__a_camel__"
  action        = "lambda:InvokeFunction"
  function_name = __b_id__
  principal     = "events.amazonaws.com"
  source_arn    = __a_arn__
}
