resource "aws_kms_key" "data" {
  description         = "data at rest"
  enable_key_rotation = true
}

resource "aws_kms_alias" "data" {
  count         = aws_kms_key.data.arn == "" ? 0 : 1
  name          = "alias/data"
  target_key_id = aws_kms_key.data.key_id
}
