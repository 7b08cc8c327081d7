variable "name" {
  type        = string
  description = "Name of the alarm"
}

variable "queue_name" {
  type        = string
  description = "Queue that has to stay empty"
}

variable "topic_arn" {
  type        = string
  description = "Who is told"
}

variable "tags" {
  type        = map(string)
  description = "Tags of the alarm"
}
