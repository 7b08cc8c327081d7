terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}

moved {
  from = aws_s3_bucket.old
  to   = aws_s3_bucket.new
}

import {
  to = aws_sqs_queue.adopted
  id = "https://sqs.eu-central-1.amazonaws.com/123456789012/adopted"
}

removed {
  from = aws_sns_topic.gone

  lifecycle {
    destroy = false
  }
}

resource "aws_s3_bucket" "new" {
  bucket = "acme-new"
}

resource "aws_sqs_queue" "adopted" {
  name = "adopted"
}
