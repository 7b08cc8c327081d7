#: title   EventBridge rule
#: words   (?:(?:amazon|aws) )?(?:event ?bridge|cloud ?watch)(?: (?:events?|scheduled?)){0,5}(?: rules?) | (?:cloud ?watch )?event rules? | event ?bridge(?! (?:bus|pipes?|scheduler))(?: schedules?)? | cloud ?watch events?(?! bus) | scheduled? (?:event )?rules? | cron(?: jobs?| schedules?| expressions?)?
#: hints   event targets?
#: file    events
#: base    schedule
#: subject yes
#: option  expression "" = ((?:rate|cron)\([^)]{3,60}\))
#: option  every "" = every (\d+ (?:minutes?|mins?|hours?|days?)) | every (minute|hour|day|week|month|night|morning) | (hourly|daily|weekly|nightly|monthly) | each (day|hour|night|morning|week) | (\d+ (?:minutes?|hours?|days?)) (?:interval|schedule)
#: option  at "" = at (\d{1,2}(?::\d\d)? ?(?:am|pm)?|midnight|noon)(?: utc)?(?! ?(?:%|percent|gb|mb|least|most))
#: option  weekday "" = (?:every |each |on )?(weekdays?|mondays?|tuesdays?|wednesdays?|thursdays?|fridays?|saturdays?|sundays?|weekends?) | monday (?:to|through|-) friday => weekday
#: option  source "" = (?:ec2 )?instances?(?: [a-z]+){0,3} (?:stop\w*|terminat\w*|start\w*|launch\w*|chang\w+)(?: state)? => ec2 | ec2 (?:instance )?state ?changes?(?: events?| notifications?)? => ec2 | code ?build(?: [a-z]+){0,3} (?:fail\w*|succeed\w*|state|complet\w*) => codebuild | aws health(?: events?)? => health | (?:console )?(?:sign ?ins?|log ?ins?)(?: events?)? => signin
#: option  states "" = (stop\w*(?:,? (?:or|and) terminat\w*)?|terminat\w*(?:,? (?:or|and) stop\w*)?|fail\w*|running|start\w*)
#: takes   rules? | fires? | runs? | sends? | sending | messages? | utc | am | pm | time | whenever | every | notif\w+ | schedul\w+ | state ?changes? | signs? in | permissions? | don't forget(?: the)? | nightly | daily | hourly | weekly | events? | targets? | invok\w+ | captures?
#: owns    (?:an? )?code ?build(?: [a-z]+){0,3} (?:fail\w*|succeed\w*|complet\w*) | (?:an? |any |the |my |each )?(?:ec2 )?instances?(?: [a-z]+){0,3} (?:stop\w*|terminat\w*|start\w*|launch\w*|chang\w+)(?:,? (?:or|and) (?:stop\w*|terminat\w*))? | ec2 (?:instance )?state ?changes?(?: events?| notifications?)? | schedule[ds]? | cron
#: uses    covers lambda_permission
#: uses    function lambda_function
#: actor   (?:amazon |aws )?event ?bridge|cloud ?watch events?
#: export  arn aws_cloudwatch_event_rule.__label__.arn
#: export  id aws_cloudwatch_event_rule.__label__.name
resource "aws_cloudwatch_event_rule" "__label__" {
  name        = "__name__"
  description = "__rule_text__"
  #if pattern
  event_pattern = jsonencode({
    source        = ["__pattern_source__"]
    "detail-type" = ["__pattern_type__"]
    #if pattern_states
    detail = {
      __pattern_key__ = [__pattern_states__]
    }
    #end
  })
  #else
  schedule_expression = "__schedule__"
  #end
}

#if function_exists
resource "aws_cloudwatch_event_target" "__label__" {
  rule = aws_cloudwatch_event_rule.__label__.name
  arn  = data.aws_lambda_function.__label__.arn
}

data "aws_lambda_function" "__label__" {
  function_name = __function_id__
}

resource "aws_lambda_permission" "__label__" {
  statement_id  = "AllowEvents__camel__"
  action        = "lambda:InvokeFunction"
  function_name = data.aws_lambda_function.__label__.function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.__label__.arn
}

#end
output "__label___rule_arn" {
  description = "ARN of the EventBridge rule __name__."
  value       = aws_cloudwatch_event_rule.__label__.arn
}
