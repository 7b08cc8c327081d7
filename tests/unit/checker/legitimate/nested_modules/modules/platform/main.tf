variable "name" {
  type = string
}

module "queue" {
  source = "./queue"
  count  = 2

  name = "${var.name}-${count.index}"
}

output "queue_url" {
  value = module.queue[0].url
}
