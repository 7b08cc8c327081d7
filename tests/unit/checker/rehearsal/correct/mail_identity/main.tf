resource "aws_ses_domain_identity" "main" {
  domain = "example.com"
}

resource "aws_ses_domain_dkim" "main" {
  domain = aws_ses_domain_identity.main.domain
}

resource "aws_ses_email_identity" "ops" {
  email = "ops@example.com"
}

resource "aws_ses_configuration_set" "main" {
  name = "main"
}

resource "aws_ses_template" "welcome" {
  name    = "welcome"
  subject = "Welcome, {{name}}"
  text    = "Hello {{name}}"
}
