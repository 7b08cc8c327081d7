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
  region                   = "eu-central-1"
  profile                  = "acme-prod"
  shared_credentials_files = ["~/.aws/credentials"]
}

variable "public_key_path" {
  type    = string
  default = "~/.ssh/id_rsa.pub"
}

resource "aws_key_pair" "this" {
  key_name   = "deploy"
  public_key = file(pathexpand(var.public_key_path))

  provisioner "local-exec" {
    command = "echo ${self.id} >> keys.txt"
  }
}
