variable "names" {
  type = list(string)
}

resource "aws_sns_topic" "this" {
  for_each = { for name in var.names : name => name }
  name     = each.key
}
