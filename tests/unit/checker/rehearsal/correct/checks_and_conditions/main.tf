data "aws_caller_identity" "me" {}

resource "aws_sns_topic" "alarms" {
  name = "alarms"

  lifecycle {
    postcondition {
      condition     = endswith(self.arn, ":alarms")
      error_message = "The topic has another name."
    }
  }
}

check "owner" {
  assert {
    condition     = data.aws_caller_identity.me.account_id == "123456789012"
    error_message = "Another account than production."
  }
}

resource "terraform_data" "version" {
  input = "3"
}
