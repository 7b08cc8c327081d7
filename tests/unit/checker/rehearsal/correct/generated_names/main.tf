resource "aws_sns_topic" "a" {
  name_prefix = "jobs-"
}

resource "aws_iam_role" "a" {
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
  })
}

resource "aws_s3_bucket" "a" {}

resource "aws_cloudwatch_log_group" "a" {}

resource "aws_secretsmanager_secret" "a" {
  recovery_window_in_days = 0
}

resource "aws_dynamodb_table" "a" {
  name         = "jobs.${aws_sns_topic.a.name}"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"
  attribute {
    name = "id"
    type = "S"
  }
}

resource "aws_kms_alias" "a" {
  name_prefix   = "alias/jobs-"
  target_key_id = aws_kms_key.a.id
}

resource "aws_kms_key" "a" {
  description             = "jobs"
  deletion_window_in_days = 7
}

resource "aws_security_group" "a" {
}

resource "aws_launch_template" "a" {
}

resource "aws_db_parameter_group" "a" {
  family = "postgres16"
}

resource "aws_iam_instance_profile" "a" {
  role = aws_iam_role.a.name
}
