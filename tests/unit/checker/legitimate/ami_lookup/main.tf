terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}

data "aws_ami" "al2023" {
  most_recent = true
  owners      = ["amazon"]

  filter {
    name   = "name"
    values = ["al2023-ami-*-x86_64"]
  }
}

data "aws_availability_zones" "available" {
  state = "available"
}

resource "aws_launch_template" "this" {
  image_id      = data.aws_ami.al2023.id
  instance_type = "t3.small"
  user_data     = base64encode("#!/bin/bash\necho hello")
}

resource "aws_autoscaling_group" "this" {
  min_size           = 1
  max_size           = 3
  availability_zones = slice(data.aws_availability_zones.available.names, 0, 2)

  launch_template {
    id      = aws_launch_template.this.id
    version = "$Latest"
  }
}
