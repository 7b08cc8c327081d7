#: link event_rule codebuild_project
#: unless (?:code ?build|builds?)(?: [a-z]+){0,3} (?:fail\w*|succeed\w*|state|complet\w*)
data "aws_iam_policy_document" "__a_label_____b_label___assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "__a_label_____b_label__" {
  statement {
    sid       = "StartBuild"
    actions   = ["codebuild:StartBuild"]
    resources = [__b_arn__]
  }
}

resource "aws_iam_role" "__a_label_____b_label__" {
  name               = "__a_name__-__b_name__"
  assume_role_policy = data.aws_iam_policy_document.__a_label_____b_label___assume.json
}

resource "aws_iam_role_policy" "__a_label_____b_label__" {
  name   = "__a_name__-__b_name__"
  role   = aws_iam_role.__a_label_____b_label__.id
  policy = data.aws_iam_policy_document.__a_label_____b_label__.json
}

resource "aws_cloudwatch_event_target" "__a_label_____b_label__" {
  rule     = __a_id__
  arn      = __b_arn__
  role_arn = aws_iam_role.__a_label_____b_label__.arn
}
