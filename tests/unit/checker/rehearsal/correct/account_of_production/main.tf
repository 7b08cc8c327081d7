data "aws_caller_identity" "me" {}

resource "aws_sns_topic" "alarms" {
  name = "alarms"

  lifecycle {
    precondition {
      condition     = data.aws_caller_identity.me.account_id == "210987654321"
      error_message = "This belongs into the account of production."
    }
  }
}
