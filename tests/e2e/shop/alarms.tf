module "orders_alarm" {
  source = "./modules/queue_alarm"

  name       = "${local.prefix}-orders-dlq"
  queue_name = aws_sqs_queue.orders_dlq.name
  topic_arn  = aws_sns_topic.shipped.arn
  tags       = local.tags
}
