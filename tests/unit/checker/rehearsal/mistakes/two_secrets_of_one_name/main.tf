resource "aws_secretsmanager_secret" "a" {
  name = "app/database"
}

resource "aws_secretsmanager_secret" "b" {
  name       = "app/database"
  depends_on = [aws_secretsmanager_secret.a]
}
