variable "about" {
  type    = string
  default = "Reads reports — nothing else"
}

resource "aws_iam_role" "worker" {
  name        = "worker"
  description = var.about

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ec2.amazonaws.com" }
    }]
  })
}
