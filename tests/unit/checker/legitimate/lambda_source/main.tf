terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}

variable "package" {
  type    = string
  default = "build/function.zip"
}

resource "aws_lambda_function" "this" {
  function_name    = "hello"
  role             = "arn:aws:iam::123456789012:role/hello"
  handler          = "app.handler"
  runtime          = "python3.12"
  filename         = var.package
  source_code_hash = sha256(join("", [for name in fileset("${path.module}/src", "**") : filesha256("${path.module}/src/${name}")]))

  environment {
    variables = {
      CONFIG = jsonencode(yamldecode(file("${path.module}/config.yaml")))
      QUERY  = trimspace(file("${path.module}/src/query.sql"))
    }
  }
}
