#: title   EC2 instance
#: words   ec2 (?:instances?|servers?|machines?|vms?) | instances? | virtual machines? | vms? | ec2
#: hints   bastion(?: host)? | web ?servers?
#: file    ec2
#: base    server
#: option  instance_type t3.micro = ((?:t[234][ag]?|m[5678][a-z]*|c[5678][a-z]*|r[5678][a-z]*)\.(?:nano|micro|small|medium|(?:\d*)x?large))
#: option  volume_gb 20 = <gb>(?: of)?(?: (?:root|ebs|gp3|disk|storage))?(?: volume| disk| storage)? | (?:disk|volume|root)(?: size)?(?: of| is| =|:)? <gb>
#: option  public off = public(?:ly)?(?: subnets?| ip(?: address)?| facing)? | internet facing
#: option  ami_arm off = arm(?:64)? | graviton
#: option  encryption on = (?:encrypted|encryption)(?: at rest)?
#: uses    vpc vpc
#: uses    group security_group
#: uses    role iam_role
#: uses    key kms_key
#: implies security_group = ssh(?: access)? | https?(?: traffic| access)? | ports? \d+
#: actor   yes
#: implies iam_role = (?:let|lets|allow|allows|allowing|so|so that|that can|which can|able to)(?: [a-z0-9]+){0,3} (?:read|write|access)(?: [a-z]+){0,4} (?:s3|buckets?|tables?|dynamodb|queues?|sqs)
#: takes   (?:web |app |application )?servers? | imds ?(?:v2)?(?: only)? | amazon linux(?: 2023)? | al2023 | (?:root )?(?:disks?|volumes?) | latest | connects?(?: to)?
#: implies iam_role = instance profiles? | access to (?:s3|dynamodb|sqs|an? s3)
#: lacks   the emulator knows no MonitorInstances: an instance with detailed monitoring is not made
#: export  id aws_instance.__label__.id
#: export  ip aws_instance.__label__.private_ip
data "aws_ssm_parameter" "al2023___ami_arch__" {
  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-__ami_arch__"
}

resource "aws_instance" "__label__" {
  ami           = data.aws_ssm_parameter.al2023___ami_arch__.insecure_value
  instance_type = "__instance_type__"
  #if vpc
  #if public
  subnet_id                   = element(__vpc_public_subnets__, __position__)
  associate_public_ip_address = true
  #else
  subnet_id = element(__vpc_private_subnets__, __position__)
  #end
  #end
  #if group
  vpc_security_group_ids = [__group_id__]
  #end
  #if role
  iam_instance_profile = __role_profile__
  #end
  monitoring    = true
  ebs_optimized = true

  metadata_options {
    http_endpoint = "enabled"
    http_tokens   = "required"
  }

  root_block_device {
    volume_type = "gp3"
    volume_size = __volume_gb__
    #if encryption
    encrypted = true
    #end
    #if key
    kms_key_id = __key_arn__
    #end
  }

  tags = {
    Name = "__name__"
  }

  lifecycle {
    # A newer image must not replace a running instance by itself.
    ignore_changes = [ami]
  }
}

output "__label___instance_id" {
  description = "Id of the EC2 instance __name__."
  value       = aws_instance.__label__.id
}
