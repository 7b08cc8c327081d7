variable "vpc_cidr" {
  type    = string
  default = "10.0.0.0/8"
}

resource "aws_vpc" "main" {
  cidr_block           = var.vpc_cidr
  enable_dns_hostnames = true
}
