#: link  lambda_function aurora_cluster
#: takes connects?(?: to)? | queries | quer(?:y|ying)
#into a statements

statement {
  sid       = "ReadPassword__b_camel__"
  actions   = ["secretsmanager:GetSecretValue"]
  resources = [__b_secret__]
}
#end into
#into a environment
__b_env___HOST       = __b_host__
__b_env___SECRET_ARN = __b_secret__
#end into
#if a_vpc
resource "aws_vpc_security_group_egress_rule" "__a_label_____b_label___db" {
  security_group_id = aws_security_group.__a_label___lambda.id
  description       = "Database __b_name__"
  ip_protocol       = "tcp"
  from_port         = __b_port_number__
  to_port           = __b_port_number__
  cidr_ipv4         = __a_vpc_cidr__
}

#end
