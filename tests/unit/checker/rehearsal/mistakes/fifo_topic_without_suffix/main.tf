resource "aws_sns_topic" "orders" {
  name       = "orders"
  fifo_topic = true
}
