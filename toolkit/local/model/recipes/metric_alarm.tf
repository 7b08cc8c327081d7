#: title   CloudWatch alarm
#: words   (?:(?:cloud ?watch|metric|cpu(?: utili[sz]ation)?|billing|aws) ){0,5}alarms? | (?:billing|cost) alerts?
#: file    alarms
#: base    alarm
#: subject yes
#: one     yes
#: option  metric "" = \b(CPUUtilization|ApproximateNumberOfMessagesVisible|ApproximateAgeOfOldestMessage|Errors|Throttles|Duration|Invocations|StatusCheckFailed\w*|FreeStorageSpace|FreeableMemory|DatabaseConnections|HTTPCode_\w+|TargetResponseTime|RequestCount|UnHealthyHostCount|NetworkIn|NetworkOut|EstimatedCharges|ThrottledRequests|NumberOfMessagesSent)\b | (@\d+@) metrics? | metric(?: name)?(?: (?:named|called|is|of)){0,5} (@\d+@) | cpu(?: usage| utili[sz]ation| load)? => CPUUtilization | errors? => Errors | throttled requests? => ThrottledRequests | throttl\w+ => Throttles | (?:free )?(?:storage|disk)(?: space)? => FreeStorageSpace | connections? => DatabaseConnections | memory => FreeableMemory | status checks? => StatusCheckFailed | (?:messages?|queue (?:depth|length)|backlog) => ApproximateNumberOfMessagesVisible | 5xx(?: errors?)? => HTTPCode_ELB_5XX_Count | (?:billing|costs?|charges?|spend\w*) => EstimatedCharges | (?:unhealthy hosts?) => UnHealthyHostCount
#: option  threshold "" = (?:over|above|exceed\w*|greater than|more than|higher than|below|under|less than|lower than|reach\w*|at least|threshold(?: of| is| =|:)?|>=?|<=?)(?: (?:or|equal|to|than|of|a|the|is)){0,5} \$?(\d+(?:\.\d+)?) | (\d+(?:\.\d+)?) ?(?:%|percent|usd|dollars?)
#: option  below off = below | under | less than | lower than | < | drops?
#: option  duration "" = (?:for|over|within|last|past)(?: (?:at|least|more|than|the|a)){0,5} <seconds>
#: option  period_seconds "" = (?:\d+ )?(?:consecutive |evaluation )?periods? of <seconds> | <seconds> periods? | period(?: of| is| =|:)? <seconds> | period(?: of| is| =|:)? <int>
#: option  periods "" = <int>(?: consecutive| evaluation){0,5}(?: \d+ (?:minutes?|mins?|seconds?|secs?))? (?:periods?|times|data ?points?) | evaluation periods?(?: of| is| =|:)? <int>
#: option  statistic "" = (average|maximum|minimum|sum)(?: statistic)? | max => Maximum | min => Minimum
#: option  instance "" = (i-[0-9a-f]{3,17})
#: option  dead off = (?:in|into|to|on|onto|for|of|at|watch\w*|reach\w*|from)(?: the| its| my| our| that| a)?(?: @\d+@)? (?:dlq|dead letter queue|dead letters?)
#: option  soon off = as soon as | immediately | any(?: visible)? messages? | anything | something | lands? | arrives?
#: takes   (?:no )?actions?(?: are| is)?(?: be)? taken(?: [a-z']+){0,6} insufficient data | (?:as )?soon(?: as)? | immediately | any(?: visible)? messages? | visible | lands? | arrives? | (?:shows?|ends?|turns?) up | consecutive | (?:e ?)?mails?(?: to)? | alert\w* | notif\w+ | monitor\w* | periods? | usage | utili[sz]ation | percent | goes | rises? | exceed\w* | greater than | send | trigger\w* | cpu | emails?
#: owns    (?:queue|sqs) (?:depth|length|size|backlog) | instances? i-[0-9a-f]+ | cpu | metrics?
#: uses    machine ec2_instance
#: uses    queue sqs_queue
#: uses    function lambda_function
#: uses    database rds_instance
#: uses    aurora aurora_cluster
#: uses    lb load_balancer
#: uses    table dynamodb_table
#: uses    topic sns_topic
#: implies sns_topic = (?:e ?)?mails? | [\w.+-]+@[\w-]+\.[\w.-]*\w | notif(?:y|ies|ications?)
#: export  arn aws_cloudwatch_metric_alarm.__label__.arn
#: lacks   the emulator forgets the actions of an alarm: the second plan is not empty
#: fails   CKV_AWS_319 where the prompt names nobody to tell: it has no action then
resource "aws_cloudwatch_metric_alarm" "__label__" {
  alarm_name          = "__name__"
  alarm_description   = "__metric__ __words__ __threshold__"
  comparison_operator = "__comparison__"
  threshold           = __threshold__
  evaluation_periods  = __periods__
  period              = __period_seconds__
  statistic           = "__statistic__"
  namespace           = "__namespace__"
  metric_name         = "__metric__"
  treat_missing_data  = "__missing__"
  #if dimension

  dimensions = {
    __dimension__ = __dimension_value__
  }
  #end
  #if topic

  alarm_actions = [__topic_arn__]
  ok_actions    = [__topic_arn__]
  #end
}

output "__label___alarm_arn" {
  description = "ARN of the alarm __name__."
  value       = aws_cloudwatch_metric_alarm.__label__.arn
}
