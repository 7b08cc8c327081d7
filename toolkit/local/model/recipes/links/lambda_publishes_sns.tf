#: link   lambda_function sns_topic
#: when   (?:lambdas?|functions?|@\d+@)(?: (?:that|which|to|and))?(?: [a-z]+){0,2} (?:send|sends|sending|publish|publishes|publishing|push|pushes|write|writes|notifies)(?: [a-z]+){0,4} (?:topics?|sns)
#into a statements

statement {
  sid       = "Publish__b_camel__"
  actions   = ["sns:Publish"]
  resources = [__b_arn__]
}
#end into
#into a environment
__b_env___TOPIC_ARN = __b_arn__
#end into
