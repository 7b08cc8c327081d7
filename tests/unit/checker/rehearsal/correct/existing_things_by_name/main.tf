data "aws_s3_bucket" "artifacts" {
  bucket = "acme-artifacts"
}

data "aws_ssm_parameter" "image" {
  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
}

data "aws_secretsmanager_secret" "database" {
  name = "prod/database"
}

data "aws_route53_zone" "main" {
  name = "example.org."
}

data "aws_kms_alias" "app" {
  name = "alias/app"
}

resource "aws_ssm_parameter" "bucket" {
  name  = "/app/bucket"
  type  = "String"
  value = data.aws_s3_bucket.artifacts.arn
}
