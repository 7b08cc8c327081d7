resource "aws_ssm_parameter" "deployed" {
  name  = "/app/deployed-at"
  type  = "String"
  value = timestamp()
}
