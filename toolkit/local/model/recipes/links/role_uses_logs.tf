#: link iam_role log_group
#: takes logs?
#into a statements
statement {
  sid = "Log__b_camel__"
  #if a_reads and not a_write
  actions = ["logs:DescribeLogStreams", "logs:FilterLogEvents", "logs:GetLogEvents"]
  #else
  actions = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
  #end
  resources = ["${__b_arn__}:*"]
}
#end into
