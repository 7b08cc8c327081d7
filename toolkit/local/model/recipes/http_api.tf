#: title   API Gateway (HTTP or WebSocket)
#: words   (?:(?:an?|the|amazon|aws|http|websocket|web ?socket|serverless) ){0,5}(?:api gateways?|apigateway)(?: v2| \(?v2\)?)?(?: (?:http|websocket|v2)){0,5}(?: apis?)? | http apis?(?: gateways?)? | (?:web ?socket) apis?
#: hints   (?:get|post|put|delete|patch|any|\$default) (?=@\d+@|/[\w{])
#: file    api
#: base    api
#: subject yes
#: one     yes
#: option  websocket off = web ?sockets?
#: many    routes = ((?:GET|POST|PUT|DELETE|PATCH|ANY|HEAD|OPTIONS) (?:@\d+@|/)[\w/{}+.-]*) | (\$(?:connect|disconnect|default)) | (?:and|,) ([a-z]+) routes? | ([a-z]+) routes?(?= (?:backed|with|that))
#: option  url "" = (https:/@\d+@|https://[\w./@:-]*\w)
#: option  cors off = cors
#: option  throttle 100 = (?:rate limit|throttl\w+)(?: [a-z]+){0,3} <int> | <int> requests? per second
#: option  stage "" = stages?(?: (?:named|called|is|=|:)){0,5} <id>
#: option  log_days 30 = <days> log retention
#: takes   prox\w+(?: to)? | calling | routes? | endpoints? | backed(?: by)? | proxy | integrations? | calls? | paths? | requests? | behind | in front of | stages? | apis? | invok\w+ | rest | default
#: uses    covers lambda_permission
#: uses    function lambda_function
#: uses    covers log_group
#: uses    key kms_key
#: actor   yes
#: export  id aws_apigatewayv2_api.__label__.id
#: export  arn aws_apigatewayv2_api.__label__.execution_arn
#: export  endpoint aws_apigatewayv2_api.__label__.api_endpoint
#: fails   CKV_AWS_309 no authoriser was named: the routes are open to everybody
resource "aws_apigatewayv2_api" "__label__" {
  name = "__name__"
  #if websocket
  protocol_type              = "WEBSOCKET"
  route_selection_expression = "$request.body.action"
  #else
  protocol_type = "HTTP"
  #if cors

  cors_configuration {
    allow_origins = ["*"]
    allow_methods = ["GET", "POST", "PUT", "DELETE", "OPTIONS"]
    allow_headers = ["content-type", "authorization"]
  }
  #end
  #end
}

resource "aws_cloudwatch_log_group" "__label___api" {
  name              = "/aws/apigateway/__name__"
  retention_in_days = __log_days__
  #if key
  kms_key_id = __key_arn__
  #end
}

resource "aws_apigatewayv2_stage" "__label__" {
  api_id      = aws_apigatewayv2_api.__label__.id
  name        = "__stage_name__"
  auto_deploy = true

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.__label___api.arn
    format = jsonencode({
      requestId = "$context.requestId"
      ip        = "$context.identity.sourceIp"
      route     = "$context.routeKey"
      status    = "$context.status"
    })
  }

  default_route_settings {
    throttling_rate_limit  = __throttle__
    throttling_burst_limit = __throttle__
  }
}

#if url or function_exists
#if function_exists
data "aws_lambda_function" "__label__" {
  function_name = __function_id__
}

resource "aws_lambda_permission" "__label__" {
  statement_id  = "AllowApi__camel__"
  action        = "lambda:InvokeFunction"
  function_name = data.aws_lambda_function.__label__.function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.__label__.execution_arn}/*/*"
}

#end
resource "aws_apigatewayv2_integration" "__label__" {
  api_id = aws_apigatewayv2_api.__label__.id
  #if function_exists
  integration_type = "AWS_PROXY"
  integration_uri  = data.aws_lambda_function.__label__.invoke_arn
  #if not websocket
  payload_format_version = "2.0"
  #end
  #else
  integration_type   = "HTTP_PROXY"
  integration_method = "ANY"
  integration_uri    = "__url__"
  #end
}

#each route in routes
resource "aws_apigatewayv2_route" "__label_____route_2__" {
  api_id    = aws_apigatewayv2_api.__label__.id
  route_key = "__route_1__"
  target    = "integrations/${aws_apigatewayv2_integration.__label__.id}"
}

#end
#end
output "__label___api_endpoint" {
  description = "Address of the API __name__."
  value       = aws_apigatewayv2_stage.__label__.invoke_url
}
