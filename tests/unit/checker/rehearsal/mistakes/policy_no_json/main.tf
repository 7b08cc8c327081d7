variable "policy_text" {
  type    = string
  default = "Version: 2012-10-17"
}

resource "aws_iam_policy" "read" {
  name   = "read-reports"
  policy = var.policy_text
}
