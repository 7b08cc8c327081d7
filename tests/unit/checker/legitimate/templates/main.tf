terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}

resource "aws_instance" "web" {
  ami           = "ami-0123456789abcdef0"
  instance_type = "t3.micro"

  user_data = templatefile("${path.module}/templates/user-data.sh.tftpl", {
    packages = ["nginx", "jq"]
    port     = 8080
  })

  metadata_options {
    http_tokens = "required"
  }
}
