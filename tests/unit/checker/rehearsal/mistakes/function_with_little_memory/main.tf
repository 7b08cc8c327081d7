variable "memory_mb" {
  type    = number
  default = 64
}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "resize" {
  name               = "resize"
  assume_role_policy = data.aws_iam_policy_document.assume.json
}

resource "aws_lambda_function" "resize" {
  function_name = "resize"
  role          = aws_iam_role.resize.arn
  runtime       = "python3.12"
  handler       = "index.handler"
  memory_size   = var.memory_mb
  s3_bucket     = "acme-artifacts"
  s3_key        = "resize.zip"
}
