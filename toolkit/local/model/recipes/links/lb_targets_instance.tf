#: link load_balancer ec2_instance
#: takes attached | targets?
#if not a_ip
resource "aws_lb_target_group_attachment" "__a_label_____b_label__" {
  target_group_arn = __a_targets__
  target_id        = __b_id__
  port             = __a_target_port__
}

#end
