resource "aws_dynamodb_table" "config" {
  name             = "feature-flags"
  billing_mode     = "PAY_PER_REQUEST"
  hash_key         = "flag"
  stream_enabled   = true
  stream_view_type = "NEW_AND_OLD_IMAGES"

  attribute {
    name = "flag"
    type = "S"
  }
}

resource "aws_dynamodb_table_item" "flags" {
  for_each   = { dark-mode = true, beta = false }
  table_name = aws_dynamodb_table.config.name
  hash_key   = aws_dynamodb_table.config.hash_key

  item = jsonencode({
    flag    = { S = each.key }
    enabled = { BOOL = each.value }
  })
}
