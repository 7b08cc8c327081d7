#: link  lambda_function elasticache
#: takes connects?(?: to)?
#into a environment
__b_env___HOST = __b_host__
#end into
#if a_vpc
resource "aws_vpc_security_group_egress_rule" "__a_label_____b_label___cache" {
  security_group_id = aws_security_group.__a_label___lambda.id
  description       = "Cache __b_name__"
  ip_protocol       = "tcp"
  from_port         = __b_port_number__
  to_port           = __b_port_number__
  cidr_ipv4         = __a_vpc_cidr__
}

#end
