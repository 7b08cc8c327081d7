variable "email" {
  type    = string
  default = "ops@example.com"
}

resource "aws_sns_topic" "alarms" {
  name = "alarms"
}

resource "aws_sns_topic_subscription" "mail" {
  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = var.email
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "api-errors"
  comparison_operator = "GreaterThanOrEqualToThreshold"
  evaluation_periods  = 2
  threshold           = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "rate"
    expression  = "100 * errors / calls"
    label       = "Error rate"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { errors = "5XXError", calls = "Count" }
    content {
      id = metric_query.key
      metric {
        namespace   = "AWS/ApiGateway"
        metric_name = metric_query.value
        period      = 300
        stat        = "Sum"
      }
    }
  }
}

resource "aws_cloudwatch_log_group" "app" {
  name              = "/app"
  retention_in_days = 14
}

resource "aws_cloudwatch_log_metric_filter" "panics" {
  name           = "panics"
  log_group_name = aws_cloudwatch_log_group.app.name
  pattern        = "panic"
  metric_transformation {
    name      = "Panics"
    namespace = "App"
    value     = "1"
  }
}

resource "aws_cloudwatch_composite_alarm" "any" {
  alarm_name = "any"
  alarm_rule = "ALARM(\"${aws_cloudwatch_metric_alarm.errors.alarm_name}\")"
}

resource "aws_cloudwatch_dashboard" "app" {
  dashboard_name = "app"
  dashboard_body = jsonencode({
    widgets = [{
      type       = "metric", x = 0, y = 0, width = 12, height = 6
      properties = { region = "us-east-1", title = "Calls", metrics = [["AWS/ApiGateway", "Count"]] }
    }]
  })
}
