variable "name" {
  type = string

  validation {
    condition     = can(regex("^[a-z]{3,}$", var.name))
    error_message = "The name of a table is three small letters or more."
  }
}

variable "key" {
  type = string
}

resource "aws_dynamodb_table" "this" {
  name         = var.name
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = var.key

  attribute {
    name = var.key
    type = "S"
  }
}

output "arn" {
  value = aws_dynamodb_table.this.arn
}
