#: title   Secrets Manager secret
#: words   (?:(?:an?|aws|amazon) )?secrets? ?manager(?: (?:secrets?|entry))? | secrets?(?! ?manager) in(?: aws)? secrets? ?manager | secrets?(?! ?manager)(?! access)
#: file    secrets
#: base    app/secret
#: option  recovery_days 30 = recovery(?: window)?(?: in days)?(?: of| is| =|:)? <days> | recovery window(?:_in_days)?(?: of| is| =|:)? <int> | <days> recovery(?: window)?
#: takes   under(?: the)?(?: name)? | passwords? | stored? | storing | credentials? | values? | putting | put | without(?: putting)?(?: the)? value | in the code | keeps? | api keys? | tokens?
#: owns    (?:an? |the |my |our )?(?:(?:rds|db|database|master|admin|postgres(?:ql)?|mysql) ){1,5}(?:passwords?|credentials?)
#: uses    key kms_key
#: export  arn aws_secretsmanager_secret.__label__.arn
#: export  id aws_secretsmanager_secret.__label__.name
resource "aws_secretsmanager_secret" "__label__" {
  name                    = "__name__"
  description             = "Secret __name__: its value is put in outside of Terraform, and is not in the state."
  recovery_window_in_days = __recovery_days__
  #if key
  kms_key_id = __key_arn__
  #end
}

output "__label___secret_arn" {
  description = "ARN of the secret __name__."
  value       = aws_secretsmanager_secret.__label__.arn
}
