#: title   route table
#: words   (?:(?:public|private|custom|vpc) )?route tables?(?: and)?(?: associations?)?
#: hints   default routes?(?= (?:to|via|through)) | routes?(?= (?:to|via|through) (?:an? |the |my )?(?:internet|nat|igw|nat gateway|vpc peering|tgw)) | route table associations?
#: file    network
#: base    public
#: option  destination 0.0.0.0/0 = routes?(?: [a-z]+){0,4} <cidr> | <cidr>(?: [a-z]+){0,3} (?:to|via|through)
#: option  nat "" = (nat-[0-9a-f]{8,17})
#: option  peering "" = (pcx-[0-9a-f]{8,17})
#: option  transit "" = (tgw-[0-9a-f]{8,17})
#: option  subnets "" = (subnet-[0-9a-f]{8,17})
#: takes   associat\w+(?: it)?(?: with| to)? | default routes? | traffic | routes?
#: needs   vpc vpc
#: uses    gateway internet_gateway
#: export  id aws_route_table.__label__.id
resource "aws_route_table" "__label__" {
  vpc_id = __vpc_id__

  tags = {
    Name = "__name__"
  }
}

#if nat
resource "aws_route" "__label__" {
  route_table_id         = aws_route_table.__label__.id
  destination_cidr_block = "__destination__"
  nat_gateway_id         = "__nat__"
}

#else
#if peering
resource "aws_route" "__label__" {
  route_table_id            = aws_route_table.__label__.id
  destination_cidr_block    = "__destination__"
  vpc_peering_connection_id = "__peering__"
}

#else
#if transit
resource "aws_route" "__label__" {
  route_table_id         = aws_route_table.__label__.id
  destination_cidr_block = "__destination__"
  transit_gateway_id     = "__transit__"
}

#else
#if gateway
resource "aws_route" "__label__" {
  route_table_id         = aws_route_table.__label__.id
  destination_cidr_block = "__destination__"
  gateway_id             = __gateway_id__
}

#end
#end
#end
#end
#if subnets
resource "aws_route_table_association" "__label__" {
  for_each = toset(__vpc_public_subnets__)

  subnet_id      = each.value
  route_table_id = aws_route_table.__label__.id
}

#end
output "__label___route_table_id" {
  description = "Id of the route table __name__."
  value       = aws_route_table.__label__.id
}
