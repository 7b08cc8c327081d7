terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}

resource "aws_sfn_state_machine" "this" {
  name     = "orders"
  role_arn = "arn:aws:iam::123456789012:role/orders"

  definition = templatefile("state-machine.json", {
    task = "arn:aws:states:::lambda:invoke"
  })
}

resource "terraform_data" "version" {
  input = filesha256("${path.root}/state-machine.json")

  lifecycle {
    replace_triggered_by = [aws_sfn_state_machine.this]

    postcondition {
      condition     = self.output != ""
      error_message = "The definition is empty."
    }
  }
}
