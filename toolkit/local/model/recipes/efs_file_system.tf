#: title   EFS file system
#: words   (?:(?:amazon|aws|encrypted|shared|elastic) ){0,5}(?:efs|elastic file systems?)(?: (?:file ?systems?|volumes?|shares?)){0,5}
#: hints   (?:efs )?mount targets?
#: file    efs
#: base    shared
#: one     yes
#: option  encryption on = (?:encrypted|encryption)(?: at rest)?
#: option  ia_days "" = (?:ia|infrequent access|lifecycle\w*|transition\w*)(?: [a-z]+){0,4} <days> | <days>(?: [a-z]+){0,3} (?:to )?(?:ia|infrequent access)
#: option  throughput elastic = bursting(?: throughput)?(?: mode)? => bursting | elastic throughput => elastic
#: option  max_io off = max ?i/?o(?: performance)?(?: mode)? | max io
#: option  backups on = (?:automatic )?backups?(?: policy)?
#: option  mounts on = mount targets?
#: option  access_point "" = access points?(?: (?:at|for|in|on|with|path|root)){0,5} (@\d+@|/[\w/.-]+) | access points? => /data
#: takes   moved?(?: to)? | lifecycle(?: policy)?(?: to)? | ia | infrequent access | transition\w* | general purpose
#: actor   yes
#: needs   vpc vpc
#: uses    group security_group
#: uses    key kms_key
#: export  id aws_efs_file_system.__label__.id
#: export  arn aws_efs_file_system.__label__.arn
#: fails   CKV_AWS_184 a key of one's own costs money: ask for a KMS key
resource "aws_efs_file_system" "__label__" {
  creation_token = "__name__"
  #if encryption or key
  encrypted = true
  #else
  encrypted = false
  #end
  #if key
  kms_key_id = __key_arn__
  #end
  throughput_mode = "__throughput__"
  #if max_io
  performance_mode = "maxIO"
  #else
  performance_mode = "generalPurpose"
  #end
  #if ia_days

  lifecycle_policy {
    transition_to_ia = "__ia_period__"
  }
  #end

  tags = {
    Name = "__name__"
  }
}

#if backups
resource "aws_efs_backup_policy" "__label__" {
  file_system_id = aws_efs_file_system.__label__.id

  backup_policy {
    status = "ENABLED"
  }
}

#end
#if mounts
#if not group
resource "aws_security_group" "__label___efs" {
  name        = "__name__-efs"
  description = "File system __name__"
  vpc_id      = __vpc_id__
}

resource "aws_vpc_security_group_ingress_rule" "__label___efs" {
  security_group_id = aws_security_group.__label___efs.id
  description       = "NFS from inside the VPC"
  ip_protocol       = "tcp"
  from_port         = 2049
  to_port           = 2049
  cidr_ipv4         = __vpc_cidr__
}

#end
resource "aws_efs_mount_target" "__label__" {
  count = length(__vpc_private_subnets__)

  file_system_id = aws_efs_file_system.__label__.id
  subnet_id      = element(__vpc_private_subnets__, count.index)
  #if group
  security_groups = [__group_id__]
  #else
  security_groups = [aws_security_group.__label___efs.id]
  #end
}

#end
#if access_point
resource "aws_efs_access_point" "__label__" {
  file_system_id = aws_efs_file_system.__label__.id

  posix_user {
    uid = 1000
    gid = 1000
  }

  root_directory {
    path = "__access_point__"

    creation_info {
      owner_uid   = 1000
      owner_gid   = 1000
      permissions = "0750"
    }
  }
}

#end
output "__label___file_system_id" {
  description = "Id of the file system __name__."
  value       = aws_efs_file_system.__label__.id
}
