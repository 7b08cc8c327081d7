terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}

# Größe, 大きさ: letters of all kinds in comments and strings
resource "aws_ssm_parameter" "text" {
  name        = "/text"
  type        = "String"
  description = "größer 日本 \u00fc"
  value       = <<EOT
one
  two ${upper("three")}
EOT
}
