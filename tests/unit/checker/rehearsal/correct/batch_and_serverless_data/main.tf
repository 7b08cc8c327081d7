resource "aws_elasticache_user" "app" {
  user_id              = "app"
  user_name            = "app"
  engine               = "redis"
  access_string        = "on ~app::* +@all"
  no_password_required = true
}

resource "aws_emrserverless_application" "spark" {
  name          = "spark"
  release_label = "emr-7.0.0"
  type          = "spark"
}

resource "aws_redshiftserverless_namespace" "dw" {
  namespace_name = "dw"
}
