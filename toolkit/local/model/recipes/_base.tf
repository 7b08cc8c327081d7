terraform {
  required_version = ">= 1.5.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = var.tags
  }
}

variable "region" {
  description = "AWS region to create the resources in."
  type        = string
  default     = "__region__"
}

variable "tags" {
  description = "Tags that every resource gets."
  type        = map(string)
  default = {
    ManagedBy = "terraform"
  }
}
