variable "visibility_s" {
  type    = number
  default = 50000
}

resource "aws_sqs_queue" "jobs" {
  name                       = "jobs"
  visibility_timeout_seconds = var.visibility_s
}
