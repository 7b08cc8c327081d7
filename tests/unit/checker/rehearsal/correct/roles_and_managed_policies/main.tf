data "aws_partition" "here" {}

data "aws_iam_policy" "read_only" {
  name = "ReadOnlyAccess"
}

resource "aws_iam_role" "audit" {
  name                 = "auditor"
  max_session_duration = 7200
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { AWS = "arn:aws:iam::123456789012:root" }
      Condition = { Bool = { "aws:MultiFactorAuthPresent" = "true" } }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "audit" {
  for_each = toset([
    data.aws_iam_policy.read_only.arn,
    "arn:${data.aws_partition.here.partition}:iam::aws:policy/SecurityAudit",
    "arn:${data.aws_partition.here.partition}:iam::aws:policy/job-function/ViewOnlyAccess",
    "arn:${data.aws_partition.here.partition}:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole",
    "arn:${data.aws_partition.here.partition}:iam::aws:policy/AmazonSSMManagedInstanceCore",
    "arn:${data.aws_partition.here.partition}:iam::aws:policy/AmazonBedrockFullAccess",
    "arn:${data.aws_partition.here.partition}:iam::aws:policy/CloudWatchAgentServerPolicy",
    "arn:${data.aws_partition.here.partition}:iam::aws:policy/AmazonEKS_CNI_Policy",
  ])
  role       = aws_iam_role.audit.name
  policy_arn = each.value
}

resource "aws_iam_group" "developers" {
  name = "developers"
}

resource "aws_iam_user" "deploy" {
  name = "deploy"
  path = "/ci/"
}

resource "aws_iam_user_group_membership" "deploy" {
  user   = aws_iam_user.deploy.name
  groups = [aws_iam_group.developers.name]
}

resource "aws_iam_group_policy_attachment" "developers" {
  group      = aws_iam_group.developers.name
  policy_arn = "arn:aws:iam::aws:policy/PowerUserAccess"
}

resource "aws_iam_instance_profile" "audit" {
  name = "auditor"
  role = aws_iam_role.audit.name
}

resource "aws_iam_account_password_policy" "strict" {
  minimum_password_length = 14
  require_symbols         = true
  require_numbers         = true
}
