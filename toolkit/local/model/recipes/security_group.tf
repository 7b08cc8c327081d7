#: title   security group
#: words   security groups? | sgs?
#: hints   firewall rules? | (?:inbound|ingress) rules?
#: file    security
#: base    app
#: many    rules = (?<=only to )<port> | (?<=outbound to )<port> | (?<=only on )<port> | (?<=outbound on )<port> | (?:tcp )?ports? <port> | <port>(?=(?:,? \(?[\w,/]+\)?){0,4}? from) | (?:open|opens|opening|allow|allows|allowing|accept|accepts|accepting|permit|permits|permitting|expose|exposes|exposing)(?: (?:only|just|inbound|incoming|tcp|the|ports?|traffic|on))* <port>(?!(?: rds)? (?:databases?|instances?|servers?|db)) | (?<=and )<port>(?! (?:[a-z]+ )?(?:databases?|instances?|servers?|hours?|minutes?|subnets?|connections?)) | (?<=, )<port>(?! (?:[a-z]+ )?(?:databases?|instances?|servers?|hours?|minutes?|subnets?|connections?)) | <port>(?=(?: access| traffic| inbound| ingress| connections| only|,|/tcp))
#: option  existing "" = (?:to|on|for|of|in)(?: (?:the|my|an?|our|existing)){0,4}(?: security groups?| sgs?)?(?: with id)? (sg-[0-9a-f]{8,17})
#: option  egress on = (?:outbound|outgoing|egress)(?: traffic| rules?| access| connections?)?
#: takes   existing | add | nothing else | resources? instead of inline(?: rules)? | rules? | (?:only|inbound|incoming|ingress)(?: tcp| traffic| connections?| access| rules?)? | lets? | accepts? | accepting | opening | opens? | permits? | permitting | exposes? | ports? | tcp | traffic | connections? | blocks?(?: all)? | blocking(?: all)? | den(?:y|ies) | attach\w* | protecting | guarding | attached to
#: uses    vpc vpc
#: export  id aws_security_group.__label__.id
#if not existing
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

#end
#each rule in rules
resource "aws_vpc_security_group_ingress_rule" "__label___tcp___rule_4__" {
  security_group_id = __group_ref__
  #if rule_2 == lb
  description = "TCP __rule_1__ from the load balancer"
  #else
  #if rule_2 == group or rule_2 == lambda
  description = "TCP __rule_1__ from __rule_3__"
  #else
  description = "TCP __rule_1__"
  #end
  #end
  ip_protocol = "tcp"
  from_port   = __rule_1__
  to_port     = __rule_1__
  #if rule_2 == cidr
  cidr_ipv4 = "__rule_3__"
  #else
  #if rule_5
  referenced_security_group_id = __rule_5__
  #else
  #if rule_2 == internal and vpc
  cidr_ipv4 = __vpc_cidr__
  #else
  referenced_security_group_id = __group_ref__
  #end
  #end
  #end
}

#end
#each rule in out_rules
resource "aws_vpc_security_group_egress_rule" "__label___tcp___rule_4__" {
  security_group_id = __group_ref__
  description       = "TCP __rule_1__"
  ip_protocol       = "tcp"
  from_port         = __rule_1__
  to_port           = __rule_1__
  cidr_ipv4         = "__rule_3__"
}

#end
#if egress
resource "aws_vpc_security_group_egress_rule" "__label___all" {
  security_group_id = __group_ref__
  description       = "Everything out"
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
}

#end
#if not existing
output "__label___security_group_id" {
  description = "Id of the security group __name__."
  value       = aws_security_group.__label__.id
}

#end
