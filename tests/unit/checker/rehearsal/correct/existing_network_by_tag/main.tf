data "aws_vpc" "shared" {
  tags = { Name = "shared-network" }
}

data "aws_subnets" "private" {
  filter {
    name   = "vpc-id"
    values = [data.aws_vpc.shared.id]
  }
  tags = { tier = "private" }
}

resource "aws_security_group" "batch" {
  name_prefix = "batch-"
  vpc_id      = data.aws_vpc.shared.id
}
