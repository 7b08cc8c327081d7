#: title   IAM role
#: words   iam roles? for(?: an?| the| my)? (?:lambdas?|ec2)(?: functions?| instances?)? | iam roles? | roles? | instance profiles?
#: hints   (?:assum\w+|trusted)(?: [a-z]+){0,2} by(?: the| an?)?(?: aws)? (?:ec2|lambda)(?: instances?| functions?| service)? | assumed? by | iam polic(?:y|ies) | (?:read ?only|read write) access to
#: file    iam
#: base    app
#: option  service ec2 = (?:assum\w+|trusted|used)(?: [a-z]+){0,2} by(?: the| an?)?(?: aws)? (ec2|lambda|ecs-tasks|states|glue|events|firehose|codebuild)(?: service| instances?| functions?)? | for(?: an?| the)? (ec2|lambda) | (ec2|lambda)(?: service| instance)?(?: iam)? roles?
#: option  account "" = (?:account|arn:aws:iam::) ?(\d{12})
#: option  write off = read ?write | write access | full access | writ(?:e|es|ing) | read only => off | read access => off
#: option  session_hours 1 = <int> hours? sessions?
#: export  arn aws_iam_role.__label__.arn
#: export  id aws_iam_role.__label__.name
#: export  profile aws_iam_instance_profile.__label__.name
data "aws_iam_policy_document" "__label___assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      #if account
      type        = "AWS"
      identifiers = ["arn:aws:iam::__account__:root"]
      #else
      type        = "Service"
      identifiers = ["__service__.amazonaws.com"]
      #end
    }
  }
}

resource "aws_iam_role" "__label__" {
  name               = "__name__"
  assume_role_policy = data.aws_iam_policy_document.__label___assume.json
}

data "aws_iam_policy_document" "__label___policy" {
  #if statements
  #slot statements
  #else
  # Nothing was named that the role should reach: it may say who it is, and no more.
  statement {
    sid       = "WhoAmI"
    actions   = ["sts:GetCallerIdentity"]
    resources = ["*"]
  }
  #end
}

resource "aws_iam_policy" "__label__" {
  name        = "__name__"
  description = "What the role __name__ may do."
  policy      = data.aws_iam_policy_document.__label___policy.json
}

resource "aws_iam_role_policy_attachment" "__label__" {
  role       = aws_iam_role.__label__.name
  policy_arn = aws_iam_policy.__label__.arn
}

#if service == ec2 and not account
resource "aws_iam_instance_profile" "__label__" {
  name = "__name__"
  role = aws_iam_role.__label__.name
}

#end
output "__label___role_arn" {
  description = "ARN of the IAM role __name__."
  value       = aws_iam_role.__label__.arn
}
