#: title   VPC
#: words   vpcs? | virtual private clouds? | private networks?
#: hints   (?:public|private)(?: and (?:public|private))? subnets? | subnets? | nat gateways? | network
#: file    network
#: base    main
#: option  cidr 10.0.0.0/16 = (?:vpcs?|cidr|range|block|network)(?: [a-z]+){0,4} <cidr> | <cidr>(?: cidr)?(?: block)? (?:vpc|network)
#: option  public_count 2 = <int> public(?: and 1 private)? subnets? | <int> public and | public subnets?(?: count)?(?: =|:) ?<int> | (?<!\d )public(?: and private)? subnets => 2 | (?<!\d )public subnet => 1
#: option  private_count 2 = <int> private subnets? | <int> private and | private subnets?(?: count)?(?: =|:) ?<int> | (?<!\d )(?:public and )?private subnets => 2 | (?<!\d )private subnet => 1
#: option  nat off = (?:an? )?nat gateways? | nat
#: option  nat_each off = nat gateways? (?:per|in each|for each|in every) (?:az|availability zone|subnet)
#: option  flow_logs off = (?:vpc )?flow logs?
#: option  zones 0 = <int> (?:azs?|availability zones?)
#: option  gateway on = internet gateways? | igw
#: takes   cidr(?: blocks?)? | 0\.0\.0\.0/0 | (?:to|through|via) (?:the|an?) (?:internet )?gateway | internet access | same | associat\w+(?: with)? | attach\w* | (?:default )?routes? | sends?
#: uses    covers internet_gateway
#: uses    covers route_table
#: given   id vpc_id = (vpc-[0-9a-f]{8,17})
#: given   public_subnets public_subnet_ids[] = (subnet-[0-9a-f]{8,17})
#: given   private_subnets private_subnet_ids[] = (subnet-[0-9a-f]{8,17})
#: given   cidr vpc_cidr
#: export  id aws_vpc.__label__.id
#: export  cidr aws_vpc.__label__.cidr_block
#: export  public_subnets aws_subnet.__label_____public_tier__[*].id
#: export  private_subnets aws_subnet.__label_____private_tier__[*].id
data "aws_availability_zones" "available" {
  state = "available"
}

resource "aws_vpc" "__label__" {
  cidr_block           = "__cidr__"
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = {
    Name = "__name__"
  }
}

# The default security group allows everything among its members; without rules nobody can use it by mistake.
resource "aws_default_security_group" "__label__" {
  vpc_id = aws_vpc.__label__.id
}

#if public_count and gateway
resource "aws_internet_gateway" "__label__" {
  vpc_id = aws_vpc.__label__.id

  tags = {
    Name = "__name__"
  }
}

#end
#if public_count
resource "aws_subnet" "__label___public" {
  count = __public_count__

  vpc_id            = aws_vpc.__label__.id
  cidr_block        = cidrsubnet(aws_vpc.__label__.cidr_block, __newbits__, count.index)
  availability_zone = data.aws_availability_zones.available.names[count.index % __zones__]

  tags = {
    Name = "__name__-public-${count.index + 1}"
  }
}

resource "aws_route_table" "__label___public" {
  vpc_id = aws_vpc.__label__.id

  tags = {
    Name = "__name__-public"
  }
}

#if gateway
resource "aws_route" "__label___internet" {
  route_table_id         = aws_route_table.__label___public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.__label__.id
}

#end
resource "aws_route_table_association" "__label___public" {
  count = __public_count__

  subnet_id      = aws_subnet.__label___public[count.index].id
  route_table_id = aws_route_table.__label___public.id
}

#end
#if private_count
resource "aws_subnet" "__label___private" {
  count = __private_count__

  vpc_id            = aws_vpc.__label__.id
  cidr_block        = cidrsubnet(aws_vpc.__label__.cidr_block, __newbits__, count.index + __private_offset__)
  availability_zone = data.aws_availability_zones.available.names[count.index % __zones__]

  tags = {
    Name = "__name__-private-${count.index + 1}"
  }
}

resource "aws_route_table" "__label___private" {
  count = __private_count__

  vpc_id = aws_vpc.__label__.id

  tags = {
    Name = "__name__-private-${count.index + 1}"
  }
}

resource "aws_route_table_association" "__label___private" {
  count = __private_count__

  subnet_id      = aws_subnet.__label___private[count.index].id
  route_table_id = aws_route_table.__label___private[count.index].id
}

#end
#if nat and public_count
resource "aws_eip" "__label___nat" {
  count = __nat_count__

  domain = "vpc"

  tags = {
    Name = "__name__-nat-${count.index + 1}"
  }

  depends_on = [aws_internet_gateway.__label__]
}

resource "aws_nat_gateway" "__label__" {
  count = __nat_count__

  allocation_id = aws_eip.__label___nat[count.index].id
  subnet_id     = aws_subnet.__label___public[count.index].id

  tags = {
    Name = "__name__-${count.index + 1}"
  }
}

#if private_count
resource "aws_route" "__label___nat" {
  count = __private_count__

  route_table_id         = aws_route_table.__label___private[count.index].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.__label__[count.index % __nat_count__].id
}

#end
#end
#if flow_logs
resource "aws_cloudwatch_log_group" "__label___flow" {
  name              = "/aws/vpc/__name__/flow-logs"
  retention_in_days = 30
}

data "aws_iam_policy_document" "__label___flow_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["vpc-flow-logs.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "__label___flow" {
  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"]
    resources = ["${aws_cloudwatch_log_group.__label___flow.arn}:*"]
  }
}

resource "aws_iam_role" "__label___flow" {
  name               = "__name__-flow-logs"
  assume_role_policy = data.aws_iam_policy_document.__label___flow_assume.json
}

resource "aws_iam_role_policy" "__label___flow" {
  name   = "__name__-flow-logs"
  role   = aws_iam_role.__label___flow.id
  policy = data.aws_iam_policy_document.__label___flow.json
}

resource "aws_flow_log" "__label__" {
  vpc_id          = aws_vpc.__label__.id
  traffic_type    = "ALL"
  iam_role_arn    = aws_iam_role.__label___flow.arn
  log_destination = aws_cloudwatch_log_group.__label___flow.arn
}

#end
output "__label___vpc_id" {
  description = "Id of the VPC __name__."
  value       = aws_vpc.__label__.id
}

#if public_count
output "__label___public_subnet_ids" {
  description = "Ids of the public subnets of __name__."
  value       = aws_subnet.__label___public[*].id
}

#end
#if private_count
output "__label___private_subnet_ids" {
  description = "Ids of the private subnets of __name__."
  value       = aws_subnet.__label___private[*].id
}

#end
