variable "role_arn" {
  type    = string
  default = "arn:aws:iam::123456789012:role/functions"
}

resource "aws_lambda_function" "resize" {
  function_name = "resize"
  role          = var.role_arn
  runtime       = "python3.12"
  handler       = "index.handler"
  filename      = "${path.module}/build/resize.zip"
}
