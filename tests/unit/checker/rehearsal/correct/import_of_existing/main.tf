import {
  to = aws_s3_bucket.legacy
  id = "acme-legacy-bucket"
}

resource "aws_s3_bucket" "legacy" {
  bucket = "acme-legacy-bucket"
}

resource "aws_sns_topic" "new" {
  name = "legacy-events"
}
