terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}

provider "aws" {
  region = "eu-central-1"
}

provider "aws" {
  alias  = "us_east_1"
  region = "us-east-1"
}

provider "aws" {
  alias  = "audit"
  region = "eu-central-1"

  assume_role {
    role_arn     = "arn:aws:iam::123456789012:role/terraform"
    session_name = "terraform"
  }
}

module "certificate" {
  source = "./modules/certificate"

  domain = "example.com"

  providers = {
    aws        = aws
    aws.global = aws.us_east_1
  }
}

resource "aws_cloudtrail" "audit" {
  provider = aws.audit

  name           = "audit"
  s3_bucket_name = "acme-audit"
}
