#: link iam_role dynamodb_table
#into a statements
statement {
  sid = "Use__b_camel__"
  #if a_write
  actions = ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"]
  #else
  actions = ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"]
  #end
  resources = [__b_arn__]
}
#end into
