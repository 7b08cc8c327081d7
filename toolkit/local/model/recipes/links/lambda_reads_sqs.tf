#: link   lambda_function sqs_queue
#: unless (?:lambdas?|functions?|@\d+@)(?: (?:that|which|to|and))?(?: [a-z]+){0,2} (?:send|sends|sending|publish|publishes|publishing|push|pushes|write|writes|writing|enqueue|enqueues)(?: [a-z]+){0,4} (?:queues?|sqs)
#into a statements

statement {
  sid       = "Read__b_camel__"
  actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
  resources = [__b_arn__]
}
#end into
#into a batches
on
#end into
resource "aws_lambda_event_source_mapping" "__a_label_____b_label__" {
  event_source_arn        = __b_arn__
  function_name           = __a_arn__
  batch_size              = 10
  function_response_types = ["ReportBatchItemFailures"]

  depends_on = [aws_iam_role_policy.__a_label___lambda]
}
