variable "vpc_id" {
  type        = string
  description = "The network to live in."

  validation {
    condition     = startswith(var.vpc_id, "vpc-")
    error_message = "The id of a network begins with vpc-."
  }
}

variable "subnet_ids" {
  type = list(string)
}

variable "environment" {
  type = string

  validation {
    condition     = contains(["blue", "green"], var.environment)
    error_message = "The environment is blue or green."
  }
}

variable "owners" {
  type = map(object({ email = string, level = optional(number, 1) }))
}

resource "aws_security_group" "app" {
  name   = "${var.environment}-app"
  vpc_id = var.vpc_id
}

resource "aws_ssm_parameter" "owner" {
  for_each = var.owners
  name     = "/owners/${each.key}"
  type     = "String"
  value    = "${each.value.email} ${each.value.level}"
}

output "second" {
  value = var.subnet_ids[1]
}
