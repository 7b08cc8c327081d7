variable "alias" {
  type    = string
  default = "billing"
}

resource "aws_kms_key" "billing" {
  description             = "billing records"
  enable_key_rotation     = true
  deletion_window_in_days = 7
}

resource "aws_kms_alias" "billing" {
  name          = var.alias
  target_key_id = aws_kms_key.billing.key_id
}
