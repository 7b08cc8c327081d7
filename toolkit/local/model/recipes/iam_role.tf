#: title   IAM role
#: words   iam roles? for(?: an?| the| my)? (?:lambdas?|ec2)(?: functions?| instances?)? | (?:(?:aws )?(?:lambda|ec2|ecs)(?: functions?| instances?| tasks?)? )?(?:iam )?(?:execution |service |instance )?roles?
#: hints   (?:assum\w+|trusted)(?: [a-z]+){0,2} by(?: the| an?)?(?: aws)? (?:ec2|lambda)(?: instances?| functions?| service)? | assumed? by | iam polic(?:y|ies) | (?:read ?only|read write) access to
#: file    iam
#: base    app
#: option  service ec2 = (?:assum\w+|trusted|used|for|by|allow\w*|lets?|letting|permit\w*|which|that|so|so that|so the)(?: (?:to be |be )?(?:used |assumed )?(?:by|use by))?(?: an?| the| my| our| your| any| existing| aws)* (ec2|lambda|glue|codebuild|firehose)(?: services?| instances?| functions?| jobs?)? | (?:assum\w+|trusted|used|for|by|allow\w*|lets?|letting|permit\w*|which|that|so|so that|so the)(?: (?:to be |be )?(?:used |assumed )?(?:by|use by))?(?: an?| the| my| our| your| any| existing| aws)* ecs(?: tasks?| services?)? => ecs-tasks | (?:assum\w+|trusted|used|for|by|allow\w*|lets?|letting|permit\w*|which|that|so|so that|so the)(?: (?:to be |be )?(?:used |assumed )?(?:by|use by))?(?: an?| the| my| our| your| any| existing| aws)* fargate(?: tasks?)? => ecs-tasks | (?:assum\w+|trusted|used|for|by|allow\w*|lets?|letting|permit\w*|which|that|so|so that|so the)(?: (?:to be |be )?(?:used |assumed )?(?:by|use by))?(?: an?| the| my| our| your| any| existing| aws)* (?:step functions?|state machines?) => states | (?:assum\w+|trusted|used|for|by|allow\w*|lets?|letting|permit\w*|which|that|so|so that|so the)(?: (?:to be |be )?(?:used |assumed )?(?:by|use by))?(?: an?| the| my| our| your| any| existing| aws)* eventbridge => events | (?:assum\w+|trusted|used|for|by|allow\w*|lets?|letting|permit\w*|which|that|so|so that|so the)(?: (?:to be |be )?(?:used |assumed )?(?:by|use by))?(?: an?| the| my| our| your| any| existing| aws)* (?:[a-z]+ )?functions? => lambda | (?:aws )?(ec2|lambda)(?: functions?| services?| instances?)?(?: iam)?(?: execution)? roles? | ecs(?: tasks?)?(?: execution)? roles? => ecs-tasks
#: many    managed = (?:arn:aws:iam::aws:policy/(?:[\w-]+/)?)?((?-i:(?:Amazon|AWS|CloudWatch)[A-Z0-9]\w+|ReadOnlyAccess|AdministratorAccess|PowerUserAccess|SecurityAudit|ViewOnlyAccess|IAM(?:FullAccess|ReadOnlyAccess)))
#: option  account "" = (?:account|arn:aws:iam::) ?(\d{12})
#: option  write off = (?:read and |read ?)?writ(?:e|es|ing) | full access | sends? | sending | publish(?:es|ing)? | uploads?(?= to) | puts? | read only => off | read access => off
#: option  reads off = (?:read|reads|reading)(?: and write| ?write)? | read only => on | full access | receiv(?:e|es|ing) | consumes? | consuming | download\w* | gets? | polls?
#: option  session_hours 1 = <int> hours? sessions?
#: given   id role_name = roles?(?: (?:named|called))? <name>
#: uses    covers policy_attachment
#: uses    covers instance_profile
#: takes   attach\w* | managed | lets? | permissions? | assum\w+ | grants? | messages | objects? | polic(?:y|ies) | trusted | polic(?:y|ies) that
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

#if policies
resource "aws_iam_role_policy_attachment" "__label___managed" {
  for_each = toset([
    #each policy in policies
    "__policy_1__",
    #end
  ])

  role       = aws_iam_role.__label__.name
  policy_arn = each.value
}

#end
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
