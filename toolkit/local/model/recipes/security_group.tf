#: title   security group
#: words   security groups? | sgs?
#: hints   firewall rules? | (?:inbound|ingress) rules?
#: file    security
#: base    web
#: many    rules = (?:(?:tcp )?ports? )?<port>(?=(?:,? \(?[\w,/]+\)?){0,4}? from(?: the| my| our| office| ip| cidr| range| whole){0,3} <source>) => internal | (?:tcp )?ports? <port> => internal | (?<=and )<port> => internal | (?<=, )<port> => internal | <port>(?=(?: access| traffic| inbound| ingress| and|,|/tcp)) => internal
#: option  egress on = (?:outbound|egress)(?: traffic| rules?)?
#: uses    vpc vpc
#: export  id aws_security_group.__label__.id
resource "aws_security_group" "__label__" {
  name        = "__name__"
  description = "Security group __name__"
  #if vpc
  vpc_id = __vpc_id__
  #end

  tags = {
    Name = "__name__"
  }
}

#each rule in rules
resource "aws_vpc_security_group_ingress_rule" "__label___tcp___rule_3__" {
  security_group_id = aws_security_group.__label__.id
  description       = "TCP __rule_1__"
  ip_protocol       = "tcp"
  from_port         = __rule_1__
  to_port           = __rule_1__
  #if rule_2 == internal
  #if vpc
  cidr_ipv4 = __vpc_cidr__
  #else
  referenced_security_group_id = aws_security_group.__label__.id
  #end
  #else
  cidr_ipv4 = "__rule_2__"
  #end
}

#end
#slot rules
#if egress
resource "aws_vpc_security_group_egress_rule" "__label___all" {
  security_group_id = aws_security_group.__label__.id
  description       = "Everything out"
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
}

#end
output "__label___security_group_id" {
  description = "Id of the security group __name__."
  value       = aws_security_group.__label__.id
}
