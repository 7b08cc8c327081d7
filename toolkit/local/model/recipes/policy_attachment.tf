#: title   IAM policy attachment
#: words   (?:iam )?(?:role )?policy attachments?
#: hints   attach\w*(?: (?:the|an?|aws|managed|iam|following)){0,5} (?:polic(?:y|ies)|(?-i:(?:Amazon|AWS|CloudWatch)[A-Z0-9]\w+|ReadOnlyAccess|AdministratorAccess|PowerUserAccess|SecurityAudit|ViewOnlyAccess|IAM(?:FullAccess|ReadOnlyAccess)))
#: many    managed = (?:arn:aws:iam::aws:policy/(?:[\w-]+/)?)?((?-i:(?:Amazon|AWS|CloudWatch)[A-Z0-9]\w+|ReadOnlyAccess|AdministratorAccess|PowerUserAccess|SecurityAudit|ViewOnlyAccess|IAM(?:FullAccess|ReadOnlyAccess)))
#: file    iam
#: base    app
#: needs   role iam_role
#: takes   attach\w* | managed | polic(?:y|ies)
resource "aws_iam_role_policy_attachment" "__label___managed" {
  for_each = toset([
    #each policy in policies
    "__policy_1__",
    #end
  ])

  role       = __role_id__
  policy_arn = each.value
}
