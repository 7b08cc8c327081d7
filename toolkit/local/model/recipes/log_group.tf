#: title   CloudWatch log group
#: words   (?:cloud ?watch )?log groups? | cloud ?watch logs?
#: file    logs
#: base    app
#: option  retention_days 30 = <days> (?:log )?retention | (?:log )?retention(?: in days| period)?(?: of| is| to| =|:)? <days> | (?:retain|keep|kept)\w*(?: [a-z]+){0,3} <days>
#: uses    key kms_key
#: export  arn aws_cloudwatch_log_group.__label__.arn
#: export  id aws_cloudwatch_log_group.__label__.name
resource "aws_cloudwatch_log_group" "__label__" {
  name              = "__name__"
  retention_in_days = __retention_days__
  #if key
  kms_key_id = __key_arn__
  #end
}

output "__label___log_group_name" {
  description = "Name of the log group __name__."
  value       = aws_cloudwatch_log_group.__label__.name
}
