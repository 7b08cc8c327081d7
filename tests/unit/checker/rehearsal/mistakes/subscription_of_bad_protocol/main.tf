variable "protocol" {
  type    = string
  default = "mail"
}

resource "aws_sns_topic" "alerts" {
  name = "alerts"
}

resource "aws_sns_topic_subscription" "ops" {
  topic_arn = aws_sns_topic.alerts.arn
  protocol  = var.protocol
  endpoint  = "ops@example.com"
}
