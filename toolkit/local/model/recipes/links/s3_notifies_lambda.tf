#: link   s3_bucket lambda_function
#: else   s3_notifies_sqs s3_notifies_sns
#: when   (?:on|upon|for|when|whenever|every time|each time|after|once)(?: [a-z0-9@]+){0,6} (?:uploads?|uploaded|created?|arrives?|lands?|added|put) | trigger\w* | notif\w+ | (?:object|upload|s3) events? | (?:process|processes|resize|resizes|resizing) (?:[a-z]+ ){0,2}uploads?
#into a notifications
lambda_function {
  lambda_function_arn = __b_arn__
  events              = ["s3:ObjectCreated:*"]
}
#end into
#into a permissions
aws_lambda_permission.__a_label_____b_label___s3,
#end into
data "aws_caller_identity" "current" {}

resource "aws_lambda_permission" "__a_label_____b_label___s3" {
  statement_id   = "AllowS3__a_camel__"
  action         = "lambda:InvokeFunction"
  function_name  = __b_id__
  principal      = "s3.amazonaws.com"
  source_arn     = __a_arn__
  source_account = data.aws_caller_identity.current.account_id
}
