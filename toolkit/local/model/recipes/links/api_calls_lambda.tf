#: link http_api lambda_function
resource "aws_apigatewayv2_integration" "__a_label_____b_label__" {
  api_id           = __a_id__
  integration_type = "AWS_PROXY"
  integration_uri  = __b_invoke__
  #if not a_websocket
  payload_format_version = "2.0"
  #end
}

#each route in a_routes
resource "aws_apigatewayv2_route" "__a_label_____route_2__" {
  api_id    = __a_id__
  route_key = "__route_1__"
  target    = "integrations/${aws_apigatewayv2_integration.__a_label_____b_label__.id}"
}

#end
resource "aws_lambda_permission" "__a_label_____b_label___api" {
  statement_id  = "AllowApi__a_camel__"
  action        = "lambda:InvokeFunction"
  function_name = __b_id__
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${__a_arn__}/*/*"
}
