#: title   Route 53 record
#: words   (?:(?:an?|aaaa|cname|mx|txt|alias|srv|caa|route ?53|dns) ){1,5}records?(?: sets?)? | cnames?(?! records?) | dns entr(?:y|ies)
#: hints   (?:point|map)\w* <host> (?:to|at) | (?:point|points|pointing|pointed|resolv\w+)(?: [a-z]+){0,2} to (?=\d|@|[\w-]+\.[a-z])
#: file    dns
#: base    www
#: subject yes
#: option  type "" = (a|aaaa|cname|mx|txt|srv|caa) records? | cnames? => CNAME | alias records? => A
#: option  ttl 300 = ttl(?: of| is| =|:)? <seconds> | ttl(?: of| is| =|:)? <int> | <seconds> ttl
#: option  record "" = (?:point|map)\w* <host> (?:to|at) | records?(?: (?:for|of|named|called|name|on|at)){0,5} <host>(?! zone) | cnames?(?: (?:for|of|named|called)){0,5} <host> | (?:records?|cnames?)(?: (?:for|of|named|called)){0,5} (www|api|app|mail|@\d+@|\*)
#: option  value "" = (?:->|=>|to|value(?: of)?|with value|at) (\d{1,3}(?:\.\d{1,3}){3}|<host>)(?![\w/]) | -> ?(<host>)
#: takes   points? | points?(?: to)? | pointing(?: to)? | resolv\w+ | alias
#: needs   zone route53_zone
#: uses    lb load_balancer
#: uses    machine ec2_instance
#: export  name aws_route53_record.__label__.fqdn
#: owns    (?:\w+\.){0,5}(?:github|gitlab|cloudflare|cloudfront|elb)\.\w[\w.-]*
#: fails   CKV2_AWS_23 where the address is one that the prompt names: it may be outside of AWS
#if needs_value
variable "__label___value" {
  description = "What the record __record_name__ answers with."
  type        = string
}

#end
resource "aws_route53_record" "__label__" {
  zone_id = __zone_id__
  name    = "__record_name__"
  type    = "__type__"
  #if alias

  alias {
    name                   = __lb_dns__
    zone_id                = __lb_zone__
    evaluate_target_health = true
  }
  #else
  ttl = __ttl__
  #if no_value
  #if machine
  records = [__machine_ip__]
  #else
  records = [var.__label___value]
  #end
  #else
  records = ["__value__"]
  #end
  #end
}

output "__label___record_fqdn" {
  description = "Full name of the record __record_name__."
  value       = aws_route53_record.__label__.fqdn
}
