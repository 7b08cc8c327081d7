variable "pattern" {
  type    = string
  default = "{\"source\": \"aws.ec2\"}"
}

resource "aws_cloudwatch_event_rule" "instances" {
  name          = "instances"
  event_pattern = var.pattern
}
