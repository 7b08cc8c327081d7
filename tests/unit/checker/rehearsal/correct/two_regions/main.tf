terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

provider "aws" {
  region = "eu-central-1"
  default_tags {
    tags = { owner = "platform" }
  }
}

provider "aws" {
  alias  = "replica"
  region = "eu-west-1"
}

data "aws_region" "replica" {
  provider = aws.replica
}

resource "aws_s3_bucket" "main" {
  bucket = "acme-main-eu-central-1"
}

resource "aws_s3_bucket" "replica" {
  provider = aws.replica
  bucket   = "acme-replica-${data.aws_region.replica.name}"
}

resource "aws_sns_topic" "main" {
  name = "alarms"
}

resource "aws_sns_topic" "replica" {
  provider = aws.replica
  name     = "alarms"
}
