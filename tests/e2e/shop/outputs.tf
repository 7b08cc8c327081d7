output "orders_queue_url" {
  description = "Where orders are put"
  value       = aws_sqs_queue.orders.url
}

output "invoices_bucket" {
  description = "Where invoices are"
  value       = aws_s3_bucket.invoices.id
}
