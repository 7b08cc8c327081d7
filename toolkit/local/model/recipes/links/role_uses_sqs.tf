#: link iam_role sqs_queue
#into a statements
statement {
  sid = "Use__b_camel__"
  #if a_write and a_reads
  actions = ["sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
  #else
  #if a_write
  actions = ["sqs:SendMessage", "sqs:GetQueueUrl", "sqs:GetQueueAttributes"]
  #else
  actions = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
  #end
  #end
  resources = [__b_arn__]
}
#end into
