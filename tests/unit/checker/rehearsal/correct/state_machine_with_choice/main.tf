resource "aws_iam_role" "flow" {
  name_prefix = "flow-"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "states.amazonaws.com" } }]
  })
}

resource "aws_sfn_state_machine" "flow" {
  name     = "refund-flow"
  role_arn = aws_iam_role.flow.arn

  definition = jsonencode({
    StartAt = "Large"
    States = {
      Large = {
        Type    = "Choice"
        Choices = [{ Variable = "$.total", NumericGreaterThan = 100, Next = "Wait" }]
        Default = "Done"
      }
      Wait = { Type = "Wait", Seconds = 5, Next = "Done" }
      Done = { Type = "Pass", End = true }
    }
  })
}
