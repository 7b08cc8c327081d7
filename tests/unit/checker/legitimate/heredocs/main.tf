terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}

resource "aws_ssm_document" "patch" {
  name            = "patch"
  document_type   = "Command"
  document_format = "YAML"

  content = <<-DOC
    schemaVersion: "2.2"
    description: reads file("/etc/os-release") and runs a provisioner "local-exec"
    mainSteps:
      - action: aws:runShellScript
        name: patch
        inputs:
          runCommand:
            - cat /etc/os-release   # file(/etc/passwd) is a word here
            - echo "$${HOME}" `date`
  DOC
}

output "note" {
  value = "call file(\"~/.ssh/id_rsa\") is text; data \"external\" as well"
}
