resource "aws_sns_topic" "ops" {
  name = "ops"
}

resource "aws_cloudwatch_event_bus" "app" {
  name = "app"
}

resource "aws_cloudwatch_event_rule" "nightly" {
  name                = "nightly"
  schedule_expression = "cron(0 3 * * ? *)"
}

resource "aws_cloudwatch_event_rule" "half_hourly" {
  name                = "half-hourly"
  schedule_expression = "rate(30 minutes)"
  state               = "DISABLED"
}

resource "aws_cloudwatch_event_rule" "stopped" {
  name           = "stopped"
  event_bus_name = aws_cloudwatch_event_bus.app.name
  event_pattern = jsonencode({
    source      = ["app.orders"]
    detail-type = ["Order Stopped"]
    detail      = { total = [{ numeric = [">", 100] }], region = [{ prefix = "eu-" }] }
  })
}

resource "aws_cloudwatch_event_target" "nightly" {
  rule      = aws_cloudwatch_event_rule.nightly.name
  target_id = "ops"
  arn       = aws_sns_topic.ops.arn
  input     = jsonencode({ job = "nightly" })
}

resource "aws_iam_role" "scheduler" {
  name = "scheduler"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "scheduler.amazonaws.com" } }]
  })
}

resource "aws_scheduler_schedule" "report" {
  name                         = "report"
  schedule_expression          = "cron(30 6 ? * MON-FRI *)"
  schedule_expression_timezone = "Europe/Berlin"

  flexible_time_window {
    mode                      = "FLEXIBLE"
    maximum_window_in_minutes = 15
  }

  target {
    arn      = aws_sns_topic.ops.arn
    role_arn = aws_iam_role.scheduler.arn
  }
}
