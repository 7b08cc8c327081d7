variable "release" {
  type    = string
  default = "1.4.2"
}

resource "aws_iam_role" "worker" {
  name = "worker"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}

resource "aws_lambda_function" "worker" {
  function_name = "worker"
  role          = aws_iam_role.worker.arn
  runtime       = "nodejs20.x"
  handler       = "index.handler"
  s3_bucket     = "acme-release-artifacts"
  s3_key        = "worker/${var.release}.zip"
}
