terraform {
  required_version = ">= 1.9"

  required_providers {
    terraform = {
      source = "terraform.io/builtin/terraform"
    }

    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}

variable "name" {
  type      = string
  default   = "Acme Data"
  sensitive = true
  nullable  = false

  validation {
    condition     = length(var.name) < 40 && can(regex("^[A-Za-z ]+$", var.name))
    error_message = "name has fewer than 40 letters and spaces."
  }
}

locals {
  slug    = replace(lower(nonsensitive(var.name)), "/[^a-z]+/", "-")
  parts   = try(regex("^(?P<first>[a-z]+)-(?P<second>[a-z]+)$", local.slug), { first = "a", second = "b" })
  expires = timeadd("2026-01-01T00:00:00Z", "24h")
  parsed  = provider::terraform::encode_tfvars({ slug = local.slug })
}

ephemeral "aws_secretsmanager_secret_version" "db" {
  secret_id = "db"
}

resource "aws_secretsmanager_secret" "this" {
  name        = "${local.parts.first}/${local.parts.second}"
  description = "until ${formatdate("YYYY-MM-DD", local.expires)} ${local.parsed}"
}
