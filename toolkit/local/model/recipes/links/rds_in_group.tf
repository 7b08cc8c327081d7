#: link rds_instance security_group
#into b rules
resource "aws_vpc_security_group_ingress_rule" "__b_label_____a_label__" {
  security_group_id            = __b_id__
  description                  = "Database, from members of this group"
  ip_protocol                  = "tcp"
  from_port                    = __a_port_number__
  to_port                      = __a_port_number__
  referenced_security_group_id = __b_id__
}

#end into
