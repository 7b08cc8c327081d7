resource "aws_ssm_parameter" "endpoint" {
  name  = "/aws/reserved/endpoint"
  type  = "String"
  value = "https://api.example.com"
}
