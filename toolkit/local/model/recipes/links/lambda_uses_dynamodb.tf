#: link lambda_function dynamodb_table
#into a statements

statement {
  sid = "Use__b_camel__"
  actions = [
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
    "dynamodb:Query",
    "dynamodb:BatchGetItem",
    "dynamodb:BatchWriteItem",
  ]
  resources = [
    __b_arn__,
    "${__b_arn__}/index/*",
  ]
}
#end into
#into a environment
__b_env___TABLE = __b_id__
#end into
