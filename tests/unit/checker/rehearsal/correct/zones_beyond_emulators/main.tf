data "aws_availability_zones" "here" {
  state = "available"
}

data "aws_vpcs" "shared" {
  tags = { network = "shared" }
}

locals {
  zones  = data.aws_availability_zones.here.names
  shared = data.aws_vpcs.shared.ids
}

resource "aws_vpc" "main" {
  cidr_block = "10.80.0.0/16"
}

resource "aws_subnet" "a" {
  vpc_id            = aws_vpc.main.id
  cidr_block        = "10.80.1.0/24"
  availability_zone = local.zones[0]
}

resource "aws_ec2_tag" "shared" {
  resource_id = local.shared[0]
  key         = "seen-by"
  value       = "network"
}
