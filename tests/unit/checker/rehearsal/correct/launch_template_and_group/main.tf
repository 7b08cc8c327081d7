data "aws_ami" "linux" {
  most_recent = true
  owners      = ["amazon"]
  filter {
    name   = "name"
    values = ["al2023-ami-2023*-x86_64"]
  }
}

data "aws_availability_zones" "here" {}

resource "aws_key_pair" "ops" {
  key_name   = "ops"
  public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHkC5hHq4p2cPqQW5oQmXo8f6uVwL3bGv3h2m4w0yq1a ops"
}

resource "aws_launch_template" "app" {
  name_prefix            = "app-"
  image_id               = data.aws_ami.linux.id
  instance_type          = "t3.micro"
  key_name               = aws_key_pair.ops.key_name
  update_default_version = true
  user_data              = base64encode("#!/bin/sh\necho hello\n")
  metadata_options {
    http_tokens   = "required"
    http_endpoint = "enabled"
  }
}

resource "aws_autoscaling_group" "app" {
  name_prefix        = "app-"
  availability_zones = [data.aws_availability_zones.here.names[0]]
  min_size           = 0
  max_size           = 2
  desired_capacity   = 0
  launch_template {
    id      = aws_launch_template.app.id
    version = "$Latest"
  }
}

resource "aws_autoscaling_policy" "cpu" {
  name                   = "cpu"
  autoscaling_group_name = aws_autoscaling_group.app.name
  policy_type            = "TargetTrackingScaling"
  target_tracking_configuration {
    target_value = 50
    predefined_metric_specification {
      predefined_metric_type = "ASGAverageCPUUtilization"
    }
  }
}
