variable "queues" {
  type = list(object({ name = string, delay = number }))
  default = [
    { name = "mail", delay = 0 },
    { name = "mail", delay = 60 },
  ]
}

resource "aws_sns_topic" "queue" {
  for_each = { for queue in var.queues : queue.name => queue }
  name     = each.key
}
