resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_security_group" "front" {
  name   = "application"
  vpc_id = aws_vpc.main.id
}

resource "aws_security_group" "back" {
  name       = "application"
  vpc_id     = aws_vpc.main.id
  depends_on = [aws_security_group.front]
}
