#: title   Route 53 zone
#: words   route ?53 | (?:(?:public|private|aws) ){0,5}(?:route ?53 )?(?:(?:public|private) )?(?:dns |hosted ){1,5}zones? | (?:(?:public|private) )?route ?53(?: (?:public|private))?(?: hosted)?(?: dns)? zones?
#: hints   private dns
#: file    dns
#: base    main
#: one     yes
#: option  domain "" = (?:hosted |dns |53 )?zones?(?: (?:for|of|on|the|domain|with|named|called|name)){0,5} <host> | domain(?: names?)?(?: (?:is|of|named|called)){0,5} <host>
#: option  parent "" = (?:point|map)\w* (?:[a-z0-9-]+\.)((?:[a-z0-9-]+\.){1,5}[a-z]{2,}) (?:to|at)
#: option  private off = private(?: hosted| dns| route ?53){0,5}(?: zones?)? | public (?:hosted|route ?53|dns) => off
#: option  query_logs off = query log(?:s|ging)?
#: takes   public | domains?(?: names?)?
#: uses    vpc vpc = private
#: implies vpc = private(?: hosted| dns| route ?53){0,5} zones? | private(?: route ?53)?(?: hosted)? zones?
#: given   id zone_id = \b(Z[0-9A-Z]{10,32})
#: export  id aws_route53_zone.__label__.zone_id
#: export  domain "__domain__"
#: fails   CKV2_AWS_38 DNSSEC needs a key in us-east-1 and a record at the parent zone
#: fails   CKV2_AWS_39 query logs go to a log group in us-east-1 that was not asked for
resource "aws_route53_zone" "__label__" {
  name    = "__domain__"
  comment = "Zone __domain__"
  #if private and vpc

  vpc {
    vpc_id = __vpc_id__
  }
  #end
}

output "__label___zone_id" {
  description = "Id of the zone __domain__."
  value       = aws_route53_zone.__label__.zone_id
}

output "__label___name_servers" {
  description = "Name servers of the zone __domain__."
  value       = aws_route53_zone.__label__.name_servers
}
