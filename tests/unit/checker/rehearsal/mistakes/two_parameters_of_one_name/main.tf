resource "aws_ssm_parameter" "a" {
  name  = "/app/endpoint"
  type  = "String"
  value = "https://a.example.com"
}

resource "aws_ssm_parameter" "b" {
  name       = "/app/endpoint"
  type       = "String"
  value      = "https://b.example.com"
  depends_on = [aws_ssm_parameter.a]
}
