resource "aws_dynamodb_table" "sessions" {
  name         = "ab"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"

  attribute {
    name = "id"
    type = "S"
  }
}
