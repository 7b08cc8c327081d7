#: title   RDS instance
#: words   (?:amazon )?rds(?: [\w.]+){0,2}? (?:databases?|instances?|db) | (?:postgres(?:ql)?|mysql|mariadb)(?: [\d.]+)?(?: rds)? (?:databases?|instances?|db) | databases?(?: instances?)? | db instances? | rds
#: hints   postgres(?:s?ql)? | mysql | mariadb
#: file    rds
#: base    app
#: option  engine postgres = postgres(?:ql)? => postgres | mysql => mysql | mariadb => mariadb
#: option  engine_version "" = (?:postgres(?:ql)?|mysql|mariadb)(?: rds)?(?: version| v)? ?(\d+(?:\.\d+)*) | engine version(?: of| is| =|:)? (\d+(?:\.\d+)*)
#: option  instance_class db.t4g.micro = (db\.[a-z0-9]+\.[a-z0-9]+)
#: option  storage_limit_gb "" = (?:grow\w*|scal\w+|autoscal\w+|expand\w*|extend\w*|increas\w+|max(?:imum)?(?: allocated)?(?: storage)?)(?: [a-z]+){0,5} <gb> | (?:up to|at most|a maximum of) <gb>
#: option  storage_gb 20 = (?<!up to )(?<!grow to )(?<!at most )(?<!maximum of )(?<![\w.])<gb>(?: of)?(?: (?:gp3|allocated))?(?: storage| disk)? | (?:storage|disk)(?: size)?(?: of| is| =|:)? <gb>
#: option  backup_days 7 = <days>(?: of)? (?:backups?(?: retention)?|retention) | backups?(?: [a-z]+){0,4} <days>
#: option  multi_az off = multi az | high(?:ly)? availab(?:le|ility)
#: option  deletion_protection on = deletion protection
#: option  public off = publicly accessible
#: option  db_name app = (?:database|db) name(?: of| is| =|:)? <id>
#: option  username dbadmin = (?:master |admin )?user ?name(?: of| is| =|:)? <id>
#: option  encryption on = (?:encrypted|encryption)(?: at rest)?
#: uses    vpc vpc
#: uses    group security_group
#: uses    key kms_key
#: uses    covers db_subnet_group
#: implies vpc = subnet groups?
#: implies security_group = (?:access|connections?|traffic)(?: only)? from | (?:only )?(?:accessible|reachable|accessed|reached)(?: only)? (?:from|by) | ports? \d+
#: takes   (?:don't want |do not want |keep |without |no )?(?:the |a |any )?(?:master |admin |database |db )?passwords?(?: [a-z']+){0,7} (?:tf)?state(?: files?)? | gp3 | keep backups? | (?:access|connections?|traffic)(?: only)? from | (?:only )?(?:accessible|reachable|accessed|reached)(?: only)? (?:from|by) | ports? (?:5432|3306)
#: actor   yes
#: export  arn aws_db_instance.__label__.arn
#: export  id aws_db_instance.__label__.identifier
#: export  host aws_db_instance.__label__.address
#: export  secret aws_db_instance.__label__.master_user_secret[0].secret_arn
#: export  port aws_db_instance.__label__.port
#if vpc
resource "aws_db_subnet_group" "__label__" {
  name       = "__name__"
  subnet_ids = __vpc_private_subnets__
}

#end
resource "aws_db_instance" "__label__" {
  identifier     = "__name__"
  engine         = "__engine__"
  engine_version = "__engine_version__"
  instance_class = "__instance_class__"
  db_name        = "__db_name__"
  username       = "__username__"

  # RDS makes the password and keeps it in Secrets Manager; it is in no file and not in the state.
  manage_master_user_password = true

  allocated_storage     = __storage_gb__
  #if storage_limit_gb
  max_allocated_storage = __storage_limit_gb__
  #end
  storage_type          = "gp3"
  #if encryption or key
  storage_encrypted = true
  #end
  #if key
  kms_key_id = __key_arn__
  #end

  #if vpc
  db_subnet_group_name = aws_db_subnet_group.__label__.name
  #end
  #if group
  vpc_security_group_ids = [__group_id__]
  #end
  #if public
  publicly_accessible = true
  #else
  publicly_accessible = false
  #end
  #if multi_az
  multi_az = true
  #else
  multi_az = false
  #end

  backup_retention_period    = __backup_days__
  auto_minor_version_upgrade = true
  copy_tags_to_snapshot      = true
  #if deletion_protection
  deletion_protection       = true
  skip_final_snapshot       = false
  final_snapshot_identifier = "__name__-final"
  #else
  deletion_protection = false
  skip_final_snapshot = true
  #end
  iam_database_authentication_enabled = true
  #if engine == postgres
  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]
  #else
  enabled_cloudwatch_logs_exports = ["error", "slowquery"]
  #end
}

output "__label___database_endpoint" {
  description = "Address and port of the database __name__."
  value       = aws_db_instance.__label__.endpoint
}

output "__label___database_secret_arn" {
  description = "Secret that holds the master password of __name__."
  value       = aws_db_instance.__label__.master_user_secret[0].secret_arn
}
