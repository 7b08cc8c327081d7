variable "retention_days" {
  type    = number
  default = 10
}

resource "aws_cloudwatch_log_group" "api" {
  name              = "/service/api"
  retention_in_days = var.retention_days
}
