#: link   lambda_function sqs_queue
#: when   (?:lambdas?|functions?|@\d+@)(?: (?:that|which|to|and))?(?: [a-z]+){0,2} (?:send|sends|sending|publish|publishes|publishing|push|pushes|write|writes|writing|enqueue|enqueues)(?: [a-z]+){0,4} (?:queues?|sqs)
#into a statements

statement {
  sid       = "Send__b_camel__"
  actions   = ["sqs:SendMessage", "sqs:GetQueueUrl", "sqs:GetQueueAttributes"]
  resources = [__b_arn__]
}
#end into
#into a environment
__b_env___QUEUE_URL = __b_url__
#end into
