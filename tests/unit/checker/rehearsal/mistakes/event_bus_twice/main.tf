resource "aws_cloudwatch_event_bus" "orders" {
  name = "orders"
}

resource "aws_cloudwatch_event_bus" "orders_too" {
  name       = "orders"
  depends_on = [aws_cloudwatch_event_bus.orders]
}
