#: title   Lambda permission
#: words   (?:lambda )(?:invoke )?permissions? | (?:allow|let|permit|permission|grant|authori[sz]e)\w*(?: (?:for|to|an?|the|my|our|access|permissions?|amazon|aws)){0,5} (?:api ?gateway|s3(?: buckets?)?|sns(?: topics?)?|event ?bridge|cloud ?watch(?: events?| logs?)?|cognito|alexa|config|ses|iot)(?: [a-z]+)?(?: to)? (?:invok|call|trigger|run|execut)\w*(?: (?:an?|the|my|our|existing|aws)){0,5}(?: lambdas?(?: functions?)?| functions?)? | permissions? (?:for|to)(?: an?| the| my)? (?:api ?gateway|s3(?: buckets?)?|sns|event ?bridge|cloud ?watch(?: events?| logs?)?)(?: [a-z]+)? to (?:invok|call|trigger|run)\w*(?: (?:an?|the|my|our|existing|aws)){0,5}(?: lambdas?(?: functions?)?| functions?)?
#: file    lambda
#: base    invoke
#: subject yes
#: option  principal "" = (?:allow|let|permit|permission|grant|authori[sz]e)\w*(?: [a-z]+){0,4}? (api ?gateway|s3|sns|event ?bridge|cloud ?watch logs|cloud ?watch(?: events?)?|cognito|alexa|config|ses|iot) | (api ?gateway|s3|sns|event ?bridge|cloud ?watch)(?: [a-z]+){0,3} (?:to invoke|permission) | ([a-z0-9-]+\.amazonaws\.com)
#: option  source_arn "" = (arn:aws:[\w:./*-]+)
#: takes   invok\w+ | permissions? | calls? | principal
#: owns    (?:'|")?(?:execution failed[^'"]{0,80}|invalid permissions? on lambda function)(?:'|")? | existing (?:aws )?(?:lambdas?(?: functions?)?|functions?)
#: needs   function lambda_function
#: fails   CKV_AWS_364 where the prompt names no source: only the account is asked for then
data "aws_caller_identity" "current" {}

resource "aws_lambda_permission" "__label__" {
  statement_id  = "__statement__"
  action        = "lambda:InvokeFunction"
  function_name = __function_id__
  principal     = "__principal_name__"
  #if source_arn
  source_arn = "__source_arn__"
  #else
  # The account's own only: without a condition any account's could call.
  source_account = data.aws_caller_identity.current.account_id
  #end
}
