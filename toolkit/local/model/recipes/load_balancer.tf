#: title   load balancer
#: words   (?:aws |application |network |internal |internet facing |public |external |private ){0,5}(?:load ?balancers?|albs?|nlbs?|elbs?)(?: \(?(?:albs?|nlbs?)\)?)?
#: hints   (?:lb |alb |nlb )?target groups?(?: attachments?)? | (?:(?:lb|alb|nlb|https?|tcp) )?listeners?
#: file    load_balancer
#: base    web
#: one     yes
#: option  type application = network load ?balancers? => network | nlbs? => network | application load ?balancers? => application | albs? => application
#: option  internal off = internal(?: facing)? | private (?:load ?balancer|alb|nlb) | internet facing => off
#: option  port "" = listen(?:s|ing|ers?)?(?: (?:on|for|to|tcp|http|https|the|traffic|ports?)){0,5} <int> | <port> listeners? | listen(?:s|ing|ers?)?(?: (?:on|for|to|the|traffic|ports?)){0,5} <port> | (?:tcp|load ?balancer|alb|nlb)(?: (?:on|with|at))? ports? <int>
#: option  target_port "" = target groups?(?: [a-z]+){0,3} ports? <int> | (?:containers?|instances?|apps?|application|servers?|backend|targets?)(?: [a-z]+){0,3} ports? <int> | forward\w*(?: [a-z]+){0,4} ports? <int>
#: option  health_path / = health ?checks?(?: [a-z]+){0,4} (@\d+@|/)
#: option  https off = redirect\w*(?: [a-z]+){0,3} (?:to )?https | http to https | https(?: [a-z]+){0,1} (?:listeners?|traffic|requests?|on|port|only) | listen\w*(?: [a-z]+){0,3} https | certificates? | tls | ssl
#: option  ip "" = (?:forward\w*|to|targets?|register\w*|at)(?: [a-z]+){0,4} (\d{1,3}(?:\.\d{1,3}){3})(?![\d/])
#: option  target_groups 0 = <int> (?:lb |alb )?target groups?
#: option  deletion_protection on = deletion protection
#: takes   terminat\w*(?: (?:tls|ssl|https))? | ports? \d+ to \d+ | forward\w* | redirect\w* | attach\w*(?: to)? | registered | health ?checks?(?: path)? | paths? | traffic | behind | in front of | balanc\w+ | across | distribut\w+ | accessible | http | tcp
#: owns    (?:(?:target groups?|targets?|listen\w*|forward\w*|health ?checks?|balancer|albs?|nlbs?)(?: [a-z]+){0,4} )(?:tcp )?ports? \d+ | (?:https?|tls|tcp) (?:listeners?|target) | redirect\w*(?: [a-z]+){0,3} https? | https? to https | (?:acm |ssl |tls |https )?certificates?(?= (?:arn|from|in|that|already)) | (?:existing|my|with an?|the)(?: existing)? (?:acm |ssl |tls ){0,5}certificates?
#: actor   yes
#: needs   vpc vpc
#: uses    group security_group
#: export  arn aws_lb.__label__.arn
#: export  dns aws_lb.__label__.dns_name
#: export  zone aws_lb.__label__.zone_id
#: export  suffix aws_lb.__label__.arn_suffix
#: export  listener aws_lb_listener.__label__.arn
#: export  targets aws_lb_target_group.__label__.arn
#: lacks   the emulator gives a network target group a matcher: the second plan is refused
#: fails   CKV_AWS_91 access logs need a bucket that was not asked for
#: fails   CKV2_AWS_28 a web application firewall costs money and was not asked for
#: fails   CKV_AWS_2 HTTPS needs a certificate: ask for an HTTPS listener, and give its ARN
#: fails   CKV_AWS_260 it is there to be reached; and the check counts rules that name a group as open
#: fails   CKV_AWS_103 as CKV_AWS_2
#: fails   CKV2_AWS_20 as CKV_AWS_2
#: fails   CKV_AWS_378 the instances speak HTTP inside the network
#if https
variable "__label___certificate_arn" {
  description = "ARN of the certificate for the HTTPS listener of __name__."
  type        = string
}

#end
#if type == application and not group
resource "aws_security_group" "__label___lb" {
  name        = "__name__-lb"
  description = "Load balancer __name__"
  vpc_id      = __vpc_id__
}

resource "aws_vpc_security_group_ingress_rule" "__label___lb" {
  security_group_id = aws_security_group.__label___lb.id
  description       = "__protocol__ to the load balancer"
  ip_protocol       = "tcp"
  from_port         = __port__
  to_port           = __port__
  #if internal
  cidr_ipv4 = __vpc_cidr__
  #else
  cidr_ipv4 = "0.0.0.0/0"
  #end
}

#if https and redirect
resource "aws_vpc_security_group_ingress_rule" "__label___lb_http" {
  security_group_id = aws_security_group.__label___lb.id
  description       = "HTTP, sent on to HTTPS"
  ip_protocol       = "tcp"
  from_port         = 80
  to_port           = 80
  #if internal
  cidr_ipv4 = __vpc_cidr__
  #else
  cidr_ipv4 = "0.0.0.0/0"
  #end
}

#end
resource "aws_vpc_security_group_egress_rule" "__label___lb" {
  security_group_id = aws_security_group.__label___lb.id
  description       = "To the targets"
  ip_protocol       = "tcp"
  from_port         = __target_port__
  to_port           = __target_port__
  cidr_ipv4         = __vpc_cidr__
}

#end
resource "aws_lb" "__label__" {
  name               = "__lb_name__"
  load_balancer_type = "__type__"
  #if internal
  internal = true
  subnets  = __vpc_private_subnets__
  #else
  internal = false
  subnets  = __vpc_public_subnets__
  #end
  #if group
  security_groups = [__group_id__]
  #else
  #if type == application
  security_groups = [aws_security_group.__label___lb.id]
  #end
  #end
  #if type == application
  drop_invalid_header_fields = true
  #else
  enable_cross_zone_load_balancing = true
  #end
  #if deletion_protection
  enable_deletion_protection = true
  #else
  enable_deletion_protection = false
  #end
}

resource "aws_lb_target_group" "__label__" {
  name        = "__lb_name__"
  port        = __target_port__
  protocol    = "__target_protocol__"
  target_type = "__target_type__"
  vpc_id      = __vpc_id__

  health_check {
    #if type == application
    path     = "__health_path__"
    matcher  = "200-399"
    protocol = "HTTP"
    #else
    protocol = "TCP"
    #end
  }
}

#if ip
resource "aws_lb_target_group_attachment" "__label__" {
  target_group_arn = aws_lb_target_group.__label__.arn
  target_id        = "__ip__"
  port             = __target_port__
}

#end
resource "aws_lb_listener" "__label__" {
  load_balancer_arn = aws_lb.__label__.arn
  port              = __port__
  protocol          = "__protocol__"
  #if https
  ssl_policy      = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn = var.__label___certificate_arn
  #end

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.__label__.arn
  }
}

#if https and redirect
resource "aws_lb_listener" "__label___http" {
  load_balancer_arn = aws_lb.__label__.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = "redirect"

    redirect {
      port        = "443"
      protocol    = "HTTPS"
      status_code = "HTTP_301"
    }
  }
}

#end
output "__label___load_balancer_dns_name" {
  description = "DNS name of the load balancer __name__."
  value       = aws_lb.__label__.dns_name
}

output "__label___target_group_arn" {
  description = "ARN of the target group of __name__."
  value       = aws_lb_target_group.__label__.arn
}
