#: title   Lambda function
#: words   (?:aws )?lambda functions? | lambdas? | functions?
#: file    lambda
#: base    handler
#: option  runtime python3.12 = python ?(?:version )?(3\.\d+) => python\1 | node(?:\.?js)? ?(?:version |v)?(\d\d)(?:\.x)? => nodejs\1.x | java ?(\d\d) => java\1 | ruby ?(3\.\d) => ruby\1 | python => python3.12 | node(?:\.?js)? => nodejs22.x | javascript => nodejs22.x
#: option  memory_mb 256 = <mb>(?: of)?(?: memory| ram)? | memory(?: size)?(?: of| is| to| =|:)? <mb> | memory(?: size)?(?: of| is| to| =|:)? <int>
#: option  timeout_seconds 30 = (?<!visibility )time ?out(?: of| is| to| =|:)? <seconds> | <seconds> time ?out
#: option  arm on = x86(?:_64)? => off | amd64 => off | arm(?:64)? | graviton
#: option  tracing on = x ?ray | tracing
#: option  concurrency 0 = (?:reserved )?concurrency(?: of| is| to| =|:)? <int>
#: option  log_days 30 = <days> log retention | log retention(?: of| is| to| =|:)? <days> | logs?(?: [a-z]+){0,3} <days>(?: of)?(?: retention)?
#: option  in_vpc off = (?:lambdas?|functions?)(?: [a-z]+){0,4} (?:in|inside|within)(?: the| a| my)?(?: same)? (?:vpc|private subnets?)
#: uses    vpc vpc = (?:lambdas?|functions?)(?: [a-z]+){0,4} (?:in|inside|within)(?: the| a| my)?(?: same)? (?:vpc|private subnets?)
#: uses    key kms_key
#: uses    group security_group
#: uses    covers log_group
#: uses    covers iam_role
#: actor   yes
#: takes   stores? | storing | results? | connects?(?: to)? | sends? | reads? | writes? | invoked? | talks? | execution roles?
#: export  arn aws_lambda_function.__label__.arn
#: export  id aws_lambda_function.__label__.function_name
#: export  invoke aws_lambda_function.__label__.invoke_arn
#: given   id function_name = (?:existing |my |our |the )*(?:aws )?(?:lambdas?(?: functions?)?|functions?)(?: (?:named|called))? <name>
#: implies event_rule = every \d+ (?:minutes?|mins?|hours?|days?) | every (?:minute|hour|day|night|week|morning|weekday) | (?:on|with|by) a(?: [a-z0-9]+)? schedule | (?:runs?|running|executed?|invoked?|triggered) (?:hourly|daily|nightly|weekly) | scheduled
#: export  role aws_iam_role.__label___lambda.id
#: source  src/__name__/index.py lambda_function.python.source
#: source  src/__name__/index.mjs lambda_function.nodejs.source
variable "__label___package" {
  description = "Zip file with the code of the Lambda function __name__, relative to this folder."
  type        = string
  default     = "build/__name__.zip"
}

data "aws_iam_policy_document" "__label___lambda_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "__label___lambda" {
  name               = "__name__-lambda"
  assume_role_policy = data.aws_iam_policy_document.__label___lambda_assume.json
}

data "aws_iam_policy_document" "__label___lambda" {
  statement {
    sid       = "WriteLogs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.__label___lambda.arn}:*"]
  }
  #if tracing

  statement {
    sid       = "WriteTraces"
    actions   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
    resources = ["*"]
  }
  #end
  #if vpc

  statement {
    sid = "AttachToVpc"
    actions = [
      "ec2:CreateNetworkInterface",
      "ec2:DeleteNetworkInterface",
      "ec2:DescribeNetworkInterfaces",
      "ec2:DescribeSubnets",
      "ec2:AssignPrivateIpAddresses",
      "ec2:UnassignPrivateIpAddresses",
    ]
    resources = ["*"]
  }
  #end
  #if key

  statement {
    sid       = "UseKey"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [__key_arn__]
  }
  #end
  #slot statements
}

resource "aws_iam_role_policy" "__label___lambda" {
  name   = "__name__-lambda"
  role   = aws_iam_role.__label___lambda.id
  policy = data.aws_iam_policy_document.__label___lambda.json
}

resource "aws_cloudwatch_log_group" "__label___lambda" {
  name              = "/aws/lambda/__name__"
  retention_in_days = __log_days__
  #if key
  kms_key_id = __key_arn__
  #end
}

#if vpc
resource "aws_security_group" "__label___lambda" {
  name        = "__name__-lambda"
  description = "Lambda function __name__"
  vpc_id      = __vpc_id__
}

resource "aws_vpc_security_group_egress_rule" "__label___lambda" {
  security_group_id = aws_security_group.__label___lambda.id
  description       = "HTTPS to AWS services"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"
}

#end
resource "aws_lambda_function" "__label__" {
  function_name = "__name__"
  role          = aws_iam_role.__label___lambda.arn
  runtime       = "__runtime__"
  handler       = "index.handler"
  filename      = var.__label___package
  # New code is deployed when the zip changes; before the zip is built there is nothing to compare.
  source_code_hash = fileexists(var.__label___package) ? filebase64sha256(var.__label___package) : null

  memory_size   = __memory_mb__
  timeout       = __timeout_seconds__
  #if arm
  architectures = ["arm64"]
  #else
  architectures = ["x86_64"]
  #end
  #if concurrency
  reserved_concurrent_executions = __concurrency__
  #end
  #if key
  kms_key_arn = __key_arn__
  #end
  #if environment

  environment {
    variables = {
      #slot environment
    }
  }
  #end
  #if tracing

  tracing_config {
    mode = "Active"
  }
  #end
  #if vpc

  vpc_config {
    subnet_ids         = __vpc_private_subnets__
    #if group
    security_group_ids = [aws_security_group.__label___lambda.id, __group_id__]
    #else
    security_group_ids = [aws_security_group.__label___lambda.id]
    #end
  }
  #end

  # Without these the first call could come before the function may write its logs.
  depends_on = [
    aws_cloudwatch_log_group.__label___lambda,
    aws_iam_role_policy.__label___lambda,
  ]
}

output "__label___function_name" {
  description = "Name of the Lambda function __name__."
  value       = aws_lambda_function.__label__.function_name
}

output "__label___function_arn" {
  description = "ARN of the Lambda function __name__."
  value       = aws_lambda_function.__label__.arn
}
