variable "name" {
  type = string
}

resource "aws_sqs_queue" "this" {
  name                      = var.name
  message_retention_seconds = 86400
  policy                    = file("${path.module}/../../../policies/queue.json")
}

output "url" {
  value = aws_sqs_queue.this.url
}
