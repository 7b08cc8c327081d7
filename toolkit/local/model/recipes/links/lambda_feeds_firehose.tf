#: link  lambda_function firehose_stream
#: takes puts? | records?
#into a statements

statement {
  sid       = "Feed__b_camel__"
  actions   = ["firehose:PutRecord", "firehose:PutRecordBatch"]
  resources = [__b_arn__]
}
#end into
#into a environment
__b_env___STREAM = __b_id__
#end into
