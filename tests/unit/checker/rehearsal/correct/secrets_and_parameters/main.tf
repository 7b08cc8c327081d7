resource "aws_kms_key" "app" {
  description             = "application secrets"
  deletion_window_in_days = 7
  enable_key_rotation     = true
}

resource "aws_secretsmanager_secret" "database" {
  name                    = "app/database"
  kms_key_id              = aws_kms_key.app.arn
  recovery_window_in_days = 0
}

resource "aws_secretsmanager_secret_version" "database" {
  secret_id     = aws_secretsmanager_secret.database.id
  secret_string = jsonencode({ username = "app", password = "not-a-real-one" })
}

resource "aws_ssm_parameter" "endpoint" {
  for_each = {
    "/app/prod/endpoint" = "https://api.example.com"
    "/app/prod/level"    = "info"
  }
  name  = each.key
  type  = "String"
  value = each.value
}

resource "aws_ssm_parameter" "token" {
  name   = "/app/prod/token"
  type   = "SecureString"
  value  = "not-a-real-one"
  key_id = aws_kms_key.app.key_id
}

resource "aws_ssm_parameter" "zones" {
  name  = "/app/prod/zones"
  type  = "StringList"
  value = "a,b,c"
}
