variable "environment" {
  type    = string
  default = "prod"
}

variable "retention_days" {
  type    = number
  default = 7
}

resource "aws_cloudwatch_log_group" "audit" {
  name              = "/audit/${var.environment}"
  retention_in_days = var.retention_days

  lifecycle {
    precondition {
      condition     = var.environment != "prod" || var.retention_days >= 90
      error_message = "Production logs are kept for 90 days at least."
    }
  }
}
