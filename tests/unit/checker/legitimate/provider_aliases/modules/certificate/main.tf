terraform {
  required_providers {
    aws = {
      source                = "hashicorp/aws"
      version               = "~> 5.0"
      configuration_aliases = [aws.global]
    }
  }
}

variable "domain" {
  type = string
}

resource "aws_acm_certificate" "regional" {
  domain_name       = var.domain
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_acm_certificate" "global" {
  provider = aws.global

  domain_name       = var.domain
  validation_method = "DNS"
}
