resource "aws_s3_bucket" "media" {
  bucket = "Acme-Media-Store"
}

resource "aws_s3_bucket_versioning" "media" {
  bucket = aws_s3_bucket.media.id

  versioning_configuration {
    status = "Enabled"
  }
}
