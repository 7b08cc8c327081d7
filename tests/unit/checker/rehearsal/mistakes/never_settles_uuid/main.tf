resource "aws_cloudwatch_log_group" "run" {
  name              = "/app/runs"
  retention_in_days = 7

  tags = {
    run = uuid()
  }
}
