#: link  lambda_function secret
#: takes reads? | access(?: to)?
#into a statements

statement {
  sid       = "Read__b_camel__"
  actions   = ["secretsmanager:GetSecretValue"]
  resources = [__b_arn__]
}
#end into
#into a environment
__b_env___SECRET = __b_arn__
#end into
