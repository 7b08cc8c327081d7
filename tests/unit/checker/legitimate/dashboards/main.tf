terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}

locals {
  functions = ["orders", "billing"]
  widgets = [for index, name in local.functions : {
    type   = "metric"
    x      = (index % 2) * 12
    y      = floor(index / 2) * 6
    width  = 12
    height = 6
    properties = {
      metrics = [["AWS/Lambda", "Errors", "FunctionName", name]]
      region  = "eu-central-1"
      title   = format("%s: %%s of %d", title(name), length(local.functions))
    }
  }]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = "functions"
  dashboard_body = jsonencode({ widgets = local.widgets })
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  count = length(local.functions)

  alarm_name          = "${local.functions[count.index]}-errors"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 1
  threshold           = 0
  period              = 300
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  statistic           = "Sum"
  dimensions          = { FunctionName = local.functions[count.index] }
}
