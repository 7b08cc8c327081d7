terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}

module "platform" {
  source = "./modules/platform"

  name = "acme"
}

output "queue_url" {
  value = module.platform.queue_url
}
