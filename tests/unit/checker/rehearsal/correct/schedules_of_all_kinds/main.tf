locals {
  schedules = {
    minutes  = "rate(5 minutes)"
    once     = "rate(1 day)"
    weekdays = "cron(0/10 8-17 ? * MON-FRI *)"
    last     = "cron(0 3 L * ? *)"
    second   = "cron(0 9 ? * 2#1 *)"
    years    = "cron(0 10 ? JAN,MAR MON 2026-2030)"
  }
}

resource "aws_cloudwatch_event_rule" "all" {
  for_each            = local.schedules
  name_prefix         = "${each.key}-"
  schedule_expression = each.value
}

resource "aws_cloudwatch_event_rule" "pattern" {
  name = "patterns"
  event_pattern = jsonencode({
    "$or" = [{ source = ["app.a"] }, { source = [{ wildcard = "app.*.b" }] }]
    detail = {
      size = [{ numeric = [">", 0, "<=", 5] }]
      ip   = [{ cidr = "10.0.0.0/24" }]
      gone = [{ exists = false }]
      kind = [{ anything-but = { prefix = "test-" } }]
    }
  })
}
