terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}

variable "buckets" {
  type = map(object({
    versioned = optional(bool, true)
    days      = optional(number)
  }))
  default = {
    logs = { days = 30 }
    data = {}
  }
}

locals {
  expiring = { for name, bucket in var.buckets : name => bucket.days if bucket.days != null }
  names    = sort([for name in keys(var.buckets) : upper(name)])
  by_kind  = { for name, bucket in var.buckets : (bucket.versioned ? "versioned" : "plain") => name... }
}

resource "aws_s3_bucket" "this" {
  for_each = var.buckets
  bucket   = "acme-${each.key}"
}

resource "aws_s3_bucket_versioning" "this" {
  for_each = var.buckets
  bucket   = aws_s3_bucket.this[each.key].id

  versioning_configuration {
    status = each.value.versioned ? "Enabled" : "Suspended"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  for_each = local.expiring
  bucket   = aws_s3_bucket.this[each.key].id

  rule {
    id     = "expire"
    status = "Enabled"

    filter {}

    expiration {
      days = each.value
    }
  }
}

output "names" {
  value = { names = local.names, kinds = local.by_kind, arns = values(aws_s3_bucket.this)[*].arn }
}
