variable "region" {
  type    = string
  default = "us-esat-1"
}

provider "aws" {
  region = var.region
}

resource "aws_sns_topic" "alerts" {
  name = "alerts"
}
