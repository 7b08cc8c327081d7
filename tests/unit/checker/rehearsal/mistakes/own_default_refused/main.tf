variable "environment" {
  type    = string
  default = "production"

  validation {
    condition     = contains(["dev", "stage", "prod"], var.environment)
    error_message = "The environment is dev, stage or prod."
  }
}

resource "aws_sns_topic" "alerts" {
  name = "${var.environment}-alerts"
}
