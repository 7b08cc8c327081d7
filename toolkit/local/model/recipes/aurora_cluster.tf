#: title   Aurora cluster
#: words   (?:(?:amazon|aws|rds) ){0,5}aurora(?: serverless)?(?: v2)?(?: (?:postgres(?:ql)?|mysql)(?: [\d.]+)?(?: compatible)?)?(?: serverless)?(?: v2)?(?: (?:db |database |rds )?(?:clusters?|databases?|instances?|db))? | (?:(?:aurora|postgres(?:ql)?|mysql) )?(?:rds|db|database) clusters?
#: hints   serverless v2
#: file    aurora
#: base    app
#: one     yes
#: option  engine aurora-postgresql = postgres(?:ql)? => aurora-postgresql | mysql => aurora-mysql
#: option  engine_version "" = (?:postgres(?:ql)?|mysql|aurora)(?: version| v)? ?(\d+\.\d+(?:\.[\w.]+)?) | engine version(?: of| is| =|:)? (\d+(?:\.[\w.]+){0,5})
#: option  instances 1 = <int>(?: [a-z0-9.]+){0,2} (?:instances?|nodes?|replicas?|readers?) | (?:instances?|nodes?)(?: count| number)?(?: of| is| =|:)? <int> | writer and(?: an?| 1)? reader => 2
#: option  instance_class db.t4g.medium = (db\.[a-z0-9]+\.[a-z0-9]+)
#: option  serverless off = serverless(?: v2)?
#: option  min_acu 0.5 = min(?:imum)?(?: (?:of|capacity|acus?|=|:|is)){0,5} (\d+(?:\.\d+)?)
#: option  max_acu 4 = max(?:imum)?(?: (?:of|capacity|acus?|=|:|is)){0,5} (\d+(?:\.\d+)?)
#: option  db_name app = (?:database|db)(?: name)?(?: (?:named|called|of|is|=|:)){0,5} <id>
#: option  username dbadmin = (?:master |admin )?user ?name(?: of| is| =|:)? <id>
#: option  backup_days 7 = <days>(?: of)? (?:backups?(?: retention)?|retention) | backups?(?: [a-z]+){0,4} <days>
#: option  deletion_protection on = deletion protection
#: option  encryption on = (?:encrypted|encryption)(?: at rest)?
#: takes   acus? | capacity | backups? | kept | databases?(?: called)? | instances? | min(?:imum)? | max(?:imum)? | passwords?(?: (?:in|managed by) secrets? manager)? | put
#: owns    \d+ (?:[a-z0-9.]+ )?(?:db )?(?:reader |writer |read )?(?:instances?|nodes?|replicas?) | databases?(?= (?:called|named|name)) | read(?:er)? (?:replicas?|instances?) | (?:postgres(?:ql)?|mysql)(?: [\d.]+)?(?: compatible)? | instances?
#: needs   vpc vpc
#: uses    group security_group
#: uses    key kms_key
#: uses    covers db_subnet_group
#: actor   yes
#: export  arn aws_rds_cluster.__label__.arn
#: export  id aws_rds_cluster.__label__.cluster_identifier
#: export  host aws_rds_cluster.__label__.endpoint
#: export  secret aws_rds_cluster.__label__.master_user_secret[0].secret_arn
#: fails   CKV_AWS_327 a key of one's own costs money: ask for a KMS key
#: fails   CKV2_AWS_8 a plan of AWS Backup was not asked for; the cluster keeps backups of its own
#: fails   CKV2_AWS_27 statement logs hold data: query logging is for the user to choose
#: lacks   the emulator makes it, and forgets endpoint and log exports: the second plan is not empty
resource "aws_db_subnet_group" "__label__" {
  name        = "__lower__"
  description = "Subnets of the Aurora cluster __name__"
  subnet_ids  = __vpc_private_subnets__
}

#if not group
resource "aws_security_group" "__label___aurora" {
  name        = "__name__-aurora"
  description = "Aurora cluster __name__"
  vpc_id      = __vpc_id__
}

resource "aws_vpc_security_group_ingress_rule" "__label___aurora" {
  security_group_id = aws_security_group.__label___aurora.id
  description       = "The database from inside the VPC"
  ip_protocol       = "tcp"
  from_port         = __port_number__
  to_port           = __port_number__
  cidr_ipv4         = __vpc_cidr__
}

#end
resource "aws_rds_cluster" "__label__" {
  cluster_identifier = "__lower__"
  engine             = "__engine__"
  engine_version     = "__engine_version__"
  database_name      = "__db_name__"
  master_username    = "__username__"

  # RDS makes the password and keeps it in Secrets Manager; it is in no file and not in the state.
  manage_master_user_password = true

  db_subnet_group_name = aws_db_subnet_group.__label__.name
  #if group
  vpc_security_group_ids = [__group_id__]
  #else
  vpc_security_group_ids = [aws_security_group.__label___aurora.id]
  #end
  #if encryption or key
  storage_encrypted = true
  #else
  storage_encrypted = false
  #end
  #if key
  kms_key_id = __key_arn__
  #end

  backup_retention_period             = __backup_days__
  copy_tags_to_snapshot               = true
  iam_database_authentication_enabled = true
  #if engine == aurora-postgresql
  enabled_cloudwatch_logs_exports = ["postgresql"]
  #else
  enabled_cloudwatch_logs_exports = ["audit", "error", "slowquery"]
  #end
  #if deletion_protection
  deletion_protection       = true
  skip_final_snapshot       = false
  final_snapshot_identifier = "__lower__-final"
  #else
  deletion_protection = false
  skip_final_snapshot = true
  #end
  #if serverless

  serverlessv2_scaling_configuration {
    min_capacity = __min_acu__
    max_capacity = __max_acu__
  }
  #end
}

resource "aws_rds_cluster_instance" "__label__" {
  count = __instances__

  identifier                   = "__lower__-${count.index + 1}"
  cluster_identifier           = aws_rds_cluster.__label__.id
  engine                       = aws_rds_cluster.__label__.engine
  engine_version               = aws_rds_cluster.__label__.engine_version
  instance_class               = "__instance_class__"
  publicly_accessible          = false
  auto_minor_version_upgrade   = true
  performance_insights_enabled = true
}

output "__label___cluster_endpoint" {
  description = "Address of the writer of __name__."
  value       = aws_rds_cluster.__label__.endpoint
}

output "__label___cluster_secret_arn" {
  description = "Secret that holds the master password of __name__."
  value       = aws_rds_cluster.__label__.master_user_secret[0].secret_arn
}
