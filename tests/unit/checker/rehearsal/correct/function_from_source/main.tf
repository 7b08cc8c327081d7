variable "name" {
  type    = string
  default = "greeter"
}

resource "aws_s3_bucket" "code" {
  bucket_prefix = "code-"
  force_destroy = true
}

resource "aws_s3_object" "code" {
  bucket         = aws_s3_bucket.code.id
  key            = "greeter.zip"
  content_base64 = "UEsDBBQAAAAAAAAAIVDKMl9vPAAAADwAAAAIAAAAaW5kZXgucHlkZWYgaGFuZGxlcihldmVudCwgY29udGV4dCk6CiAgICByZXR1cm4geyJzdGF0dXNDb2RlIjogMjAwfQpQSwECFAMUAAAAAAAAACFQyjJfbzwAAAA8AAAACAAAAAAAAAAAAAAAgAEAAAAAaW5kZXgucHlQSwUGAAAAAAEAAQA2AAAAYgAAAAAA"
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

resource "aws_iam_role" "greeter" {
  name               = var.name
  assume_role_policy = data.aws_iam_policy_document.assume.json
}

resource "aws_iam_role_policy_attachment" "logs" {
  role       = aws_iam_role.greeter.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}

resource "aws_cloudwatch_log_group" "greeter" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = 30
}

resource "aws_lambda_function" "greeter" {
  function_name = var.name
  role          = aws_iam_role.greeter.arn
  runtime       = "python3.12"
  handler       = "index.handler"
  architectures = ["arm64"]
  timeout       = 15
  s3_bucket     = aws_s3_bucket.code.id
  s3_key        = aws_s3_object.code.key

  environment {
    variables = { LEVEL = "info" }
  }

  tracing_config {
    mode = "Active"
  }

  depends_on = [aws_cloudwatch_log_group.greeter, aws_iam_role_policy_attachment.logs]
}

resource "aws_apigatewayv2_api" "greeter" {
  name          = var.name
  protocol_type = "HTTP"
}

resource "aws_apigatewayv2_integration" "greeter" {
  api_id                 = aws_apigatewayv2_api.greeter.id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_function.greeter.invoke_arn
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_route" "greeter" {
  api_id    = aws_apigatewayv2_api.greeter.id
  route_key = "GET /hello"
  target    = "integrations/${aws_apigatewayv2_integration.greeter.id}"
}

resource "aws_apigatewayv2_stage" "live" {
  api_id      = aws_apigatewayv2_api.greeter.id
  name        = "$default"
  auto_deploy = true
}

resource "aws_lambda_permission" "api" {
  statement_id  = "AllowApi"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.greeter.function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.greeter.execution_arn}/*/*"
}
