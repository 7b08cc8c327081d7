variable "aws_region" {
  type        = string
  description = "Region that everything is in"
  default     = "eu-central-1"
}

variable "stage" {
  type        = string
  description = "dev, test or prod"
}

variable "owner" {
  type        = string
  description = "Team that is called at night"
  default     = "shop-platform"
}

variable "log_days" {
  type        = number
  description = "How long logs are kept"
  default     = 30
}
