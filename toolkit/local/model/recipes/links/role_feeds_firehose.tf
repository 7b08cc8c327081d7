#: link  iam_role firehose_stream
#: takes puts? | records?
#into a statements
statement {
  sid       = "Feed__b_camel__"
  actions   = ["firehose:PutRecord", "firehose:PutRecordBatch"]
  resources = [__b_arn__]
}
#end into
