resource "aws_s3_bucket" "a" {
  bucket = "acme-shared-logs"
}

resource "aws_s3_bucket" "b" {
  bucket     = "acme-shared-logs"
  depends_on = [aws_s3_bucket.a]
}
