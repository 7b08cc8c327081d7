terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}

resource "aws_lambda_function_url" "api" {
  function_name      = "api"
  authorization_type = "AWS_IAM"
}

check "identity" {
  data "aws_caller_identity" "now" {}

  assert {
    condition     = data.aws_caller_identity.now.account_id == "123456789012"
    error_message = "This is not the account ${data.aws_caller_identity.now.account_id}."
  }
}
