resource "aws_cloudwatch_log_group" "api" {
  name              = "/service/api"
  retention_in_days = 14
}

resource "aws_cloudwatch_log_group" "api_again" {
  name              = "/service/api"
  retention_in_days = 30
  depends_on        = [aws_cloudwatch_log_group.api]
}
