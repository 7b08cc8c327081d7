variable "sizes" {
  type    = map(number)
  default = { dev = 7, prod = 90 }
}

variable "environment" {
  type    = string
  default = "stage"
}

resource "aws_cloudwatch_log_group" "api" {
  name              = "/api/${var.environment}"
  retention_in_days = var.sizes[var.environment]
}
