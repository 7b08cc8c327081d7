terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}

variable "environment" {
  type = string
}

variable "zones" {
  type = list(string)
}

resource "aws_s3_bucket" "this" {
  bucket = "acme-${var.environment}-${var.zones[0]}"
}
