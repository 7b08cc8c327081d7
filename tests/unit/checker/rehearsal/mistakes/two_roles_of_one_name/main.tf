data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "reader" {
  name               = "report-worker"
  assume_role_policy = data.aws_iam_policy_document.assume.json
}

resource "aws_iam_role" "writer" {
  name               = "report-worker"
  assume_role_policy = data.aws_iam_policy_document.assume.json
  depends_on         = [aws_iam_role.reader]
}
