resource "aws_iam_role" "worker" {
  name               = "${local.prefix}-worker"
  assume_role_policy = templatefile("${path.module}/policies/trust.json.tftpl", { service = "ecs-tasks.amazonaws.com" })

  tags = local.tags
}

data "aws_iam_policy_document" "worker" {
  statement {
    sid       = "TakeOrders"
    actions   = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
    resources = [aws_sqs_queue.orders.arn]
  }

  statement {
    sid       = "KeepCarts"
    actions   = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
    resources = [aws_dynamodb_table.carts.arn]
  }
}

resource "aws_iam_role_policy" "worker" {
  name   = "worker"
  role   = aws_iam_role.worker.id
  policy = data.aws_iam_policy_document.worker.json
}
