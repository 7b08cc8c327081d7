#: link iam_role sqs_queue
#into a statements
statement {
  sid = "Use__b_camel__"
  #if a_write
  actions = ["sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
  #else
  actions = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
  #end
  resources = [__b_arn__]
}
#end into
