#: link   lambda_function s3_bucket
#: else   lambda_feeds_firehose
#: reaches yes
#into a statements

statement {
  sid       = "List__b_camel__"
  actions   = ["s3:ListBucket"]
  resources = [__b_arn__]
}

statement {
  sid       = "Use__b_camel__"
  actions   = ["s3:GetObject", "s3:PutObject"]
  resources = ["${__b_arn__}/*"]
}
#end into
#into a environment
__b_env___BUCKET = __b_id__
#end into
