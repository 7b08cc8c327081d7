resource "aws_iam_role_policy_attachment" "team" {
  role       = "team-role-made-elsewhere"
  policy_arn = "arn:aws:iam::123456789012:policy/team-policy-made-elsewhere"
}

resource "aws_sns_topic_subscription" "central" {
  topic_arn = "arn:aws:sns:us-east-1:123456789012:central-alarms"
  protocol  = "https"
  endpoint  = "https://hooks.example.com/alarms"
}
