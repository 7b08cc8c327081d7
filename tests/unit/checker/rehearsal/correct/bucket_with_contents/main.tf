resource "aws_s3_bucket" "seed" {
  bucket = "acme-seed-data"

  lifecycle {
    prevent_destroy = false
  }
}

resource "aws_s3_object" "readme" {
  bucket  = aws_s3_bucket.seed.id
  key     = "README.md"
  content = "seed data"
}
