#: link iam_role s3_bucket
#: else role_feeds_firehose
#: reaches yes
#into a statements
statement {
  sid       = "List__b_camel__"
  actions   = ["s3:ListBucket"]
  resources = [__b_arn__]
}

statement {
  sid = "Use__b_camel__"
  #if a_write and a_reads
  actions = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
  #else
  #if a_write
  actions = ["s3:PutObject"]
  #else
  actions = ["s3:GetObject"]
  #end
  #end
  resources = ["${__b_arn__}/*"]
}
#end into
