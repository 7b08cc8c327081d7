data "aws_iam_policy_document" "base" {
  statement {
    sid       = "Base"
    actions   = ["s3:ListAllMyBuckets"]
    resources = ["*"]
  }
}

data "aws_iam_policy_document" "all" {
  source_policy_documents = [data.aws_iam_policy_document.base.json]

  statement {
    effect      = "Deny"
    not_actions = ["iam:ChangePassword"]
    resources   = ["*"]
    condition {
      test     = "BoolIfExists"
      variable = "aws:MultiFactorAuthPresent"
      values   = ["false"]
    }
  }
}

resource "aws_iam_policy" "all" {
  name   = "all"
  policy = data.aws_iam_policy_document.all.json
}

resource "aws_iam_policy" "home" {
  name = "home"
  policy = jsonencode({
    Version = "2012-10-17"
    Id      = "home-folders"
    Statement = {
      Effect      = "Allow"
      Action      = "s3:*"
      NotResource = "arn:aws:s3:::acme-home/$${aws:username}/*"
    }
  })
}

resource "aws_iam_role" "pods" {
  name = "pods"
  path = "/service/"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"]
      Principal = { Federated = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
      Condition = {
        StringLike = { "token.actions.githubusercontent.com:sub" = "repo:acme/*:ref:refs/heads/main" }
      }
    }]
  })
}

resource "aws_iam_role_policy" "pods" {
  name   = "pods"
  role   = aws_iam_role.pods.name
  policy = data.aws_iam_policy_document.base.json
}
