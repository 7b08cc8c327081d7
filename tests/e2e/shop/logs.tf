resource "aws_cloudwatch_log_group" "worker" {
  name              = "/shop/${var.stage}/worker"
  retention_in_days = var.log_days

  tags = local.tags
}
