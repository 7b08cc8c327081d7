terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}

variable "teams" {
  type    = set(string)
  default = ["data", "web"]
}

resource "aws_iam_policy" "team" {
  for_each = var.teams

  name   = "team-${each.key}"
  policy = file("${path.module}/policies/${each.key}.json")
}

resource "aws_iam_policy" "shared" {
  for_each = fileset("${path.module}/policies/shared", "*.json")

  name   = trimsuffix(each.value, ".json")
  policy = templatefile("${path.module}/policies/shared/${each.value}", { account = "123456789012" })
}
