resource "aws_ecr_repository" "a" {
  name = "team/api"
}

resource "aws_ecr_repository" "b" {
  name       = "team/api"
  depends_on = [aws_ecr_repository.a]
}
