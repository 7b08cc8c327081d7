variable "hours" {
  type    = number
  default = 9000
}

resource "aws_kinesis_stream" "clicks" {
  name             = "clicks"
  shard_count      = 1
  retention_period = var.hours
}
