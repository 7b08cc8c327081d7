variable "vpc_cidr" {
  type    = string
  default = "10.0.1.0/16"
}

resource "aws_vpc" "main" {
  cidr_block = var.vpc_cidr
}
