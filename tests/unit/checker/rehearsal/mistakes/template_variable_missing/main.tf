variable "unit" {
  type    = string
  default = "$${first} and $${second}"
}

locals {
  text = templatestring(var.unit, { first = "one" })
}

resource "aws_ssm_parameter" "text" {
  name  = "/app/text"
  type  = "String"
  value = local.text
}
