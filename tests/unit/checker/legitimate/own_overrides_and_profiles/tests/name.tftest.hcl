run "name" {
  command = plan

  assert {
    condition     = aws_key_pair.this.key_name == "deploy"
    error_message = "another name"
  }
}
