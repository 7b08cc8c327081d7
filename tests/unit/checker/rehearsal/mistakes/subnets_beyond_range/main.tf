locals {
  vpc_cidr = "10.0.0.0/24"
}

variable "zones" {
  type    = number
  default = 3
}

resource "aws_vpc" "main" {
  cidr_block = local.vpc_cidr
}

resource "aws_subnet" "private" {
  count      = var.zones
  vpc_id     = aws_vpc.main.id
  cidr_block = cidrsubnet(local.vpc_cidr, 1, count.index)
}
