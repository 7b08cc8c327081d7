variable "window_days" {
  type    = number
  default = 3
}

resource "aws_kms_key" "data" {
  description             = "data at rest"
  deletion_window_in_days = var.window_days
}
