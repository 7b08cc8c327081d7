#: title   Redshift cluster
#: words   (?:amazon |aws )?redshift(?: (?:data ?warehouse|database))?(?: clusters?)? | data ?warehouses?
#: hints   redshift (?:subnet|parameter) groups? | redshift cluster parameters?
#: file    redshift
#: base    warehouse
#: one     yes
#: option  node_type ra3.xlplus = ((?:ra3|dc2|ds2|rg)\.\w+)
#: option  nodes 1 = <int>(?: [a-z0-9.]+){0,2} nodes? | nodes?(?: count| number)?(?: of| is| =|:)? <int> | single node => 1
#: option  database main = (?:database|db)(?: name)?(?: (?:named|called|of|is|=|:)){0,5} <id>
#: option  username rsadmin = (?:master |admin )?user ?name(?: of| is| =|:)? <id>
#: option  snapshot_days 7 = <days>(?: of)? (?:automated |automatic )?(?:snapshots?|backups?)(?: retention)? | (?:snapshots?|backups?)(?: [a-z]+){0,4} <days>
#: option  public off = publicly accessible
#: option  encryption on = (?:encrypted|encryption)(?: at rest)?
#: takes   databases?(?: name)? | nodes?
#: owns    \d+ (?:[a-z0-9.]+ )?nodes? | databases?(?: names?)?(?= (?:named|called|is|@|[a-z]+\b))
#: actor   yes
#: needs   vpc vpc
#: uses    group security_group
#: uses    key kms_key
#: export  id aws_redshift_cluster.__label__.id
#: fails   CKV_AWS_71 it logs to CloudWatch by a resource of its own, which the check does not read
#: fails   CKV_AWS_142 a key of one's own costs money: ask for a KMS key
#: lacks   the emulator has no Redshift
resource "aws_redshift_subnet_group" "__label__" {
  name        = "__lower__"
  description = "Subnets of the Redshift cluster __name__"
  subnet_ids  = __vpc_private_subnets__
}

#if not group
resource "aws_security_group" "__label___redshift" {
  name        = "__name__-redshift"
  description = "Redshift cluster __name__"
  vpc_id      = __vpc_id__
}

resource "aws_vpc_security_group_ingress_rule" "__label___redshift" {
  security_group_id = aws_security_group.__label___redshift.id
  description       = "Redshift from inside the VPC"
  ip_protocol       = "tcp"
  from_port         = 5439
  to_port           = 5439
  cidr_ipv4         = __vpc_cidr__
}

#end
resource "aws_redshift_parameter_group" "__label__" {
  name        = "__lower__"
  family      = "redshift-1.0"
  description = "TLS only, and who did what is logged"

  parameter {
    name  = "require_ssl"
    value = "true"
  }

  parameter {
    name  = "enable_user_activity_logging"
    value = "true"
  }
}

resource "aws_redshift_cluster" "__label__" {
  cluster_identifier = "__lower__"
  node_type          = "__node_type__"
  #if many_nodes
  cluster_type    = "multi-node"
  number_of_nodes = __nodes__
  #else
  cluster_type = "single-node"
  #end
  database_name   = "__database__"
  master_username = "__username__"

  # Redshift makes the password and keeps it in Secrets Manager; it is in no file and not in the state.
  manage_master_password = true

  cluster_subnet_group_name    = aws_redshift_subnet_group.__label__.name
  cluster_parameter_group_name = aws_redshift_parameter_group.__label__.name
  #if group
  vpc_security_group_ids = [__group_id__]
  #else
  vpc_security_group_ids = [aws_security_group.__label___redshift.id]
  #end
  #if public
  publicly_accessible = true
  #else
  publicly_accessible = false
  #end
  enhanced_vpc_routing                = true
  allow_version_upgrade               = true
  automated_snapshot_retention_period = __snapshot_days__
  #if encryption or key
  encrypted = true
  #else
  encrypted = false
  #end
  #if key
  kms_key_id = __key_arn__
  #end
  skip_final_snapshot       = false
  final_snapshot_identifier = "__lower__-final"
}

resource "aws_redshift_logging" "__label__" {
  cluster_identifier   = aws_redshift_cluster.__label__.id
  log_destination_type = "cloudwatch"
  log_exports          = ["connectionlog", "useractivitylog", "userlog"]
}

output "__label___redshift_endpoint" {
  description = "Address and port of the Redshift cluster __name__."
  value       = aws_redshift_cluster.__label__.endpoint
}

output "__label___redshift_secret_arn" {
  description = "Secret that holds the master password of __name__."
  value       = aws_redshift_cluster.__label__.master_password_secret_arn
}
