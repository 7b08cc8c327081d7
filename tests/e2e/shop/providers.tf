provider "aws" {
  region  = var.aws_region
  profile = "shop-deploy"
}
