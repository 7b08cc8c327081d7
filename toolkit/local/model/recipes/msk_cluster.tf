#: title   MSK cluster
#: words   (?:(?:amazon|aws|managed|apache) ){0,5}(?:msk|kafka)(?: (?:msk|kafka|streaming|provisioned)){0,5}(?: clusters?)?
#: file    msk
#: base    events
#: one     yes
#: option  version 3.6.0 = kafka(?: version| v)? ?(\d+\.\d+(?:\.\d+|\.x)) | version(?: of| is| =|:)? (\d+\.\d+\.\d+)
#: option  brokers "" = <int>(?: [a-z0-9.]+){0,2} (?:brokers?|nodes?)(?: nodes?)? | (?:brokers?|nodes?)(?: count| number)?(?: of| is| =|:)? <int>
#: option  broker_type kafka.m5.large = ((?:kafka|express)\.[a-z0-9]+\.\w+)
#: option  storage_gb 100 = <gb>(?: of)?(?: (?:ebs|each|storage|disk|volume|per))? | (?:disk|volume|storage)(?: size)?(?: of| is| =|:)? <gb>
#: option  plain off = plain ?text
#: option  iam_auth on = iam(?: auth\w*| access control)? | sasl iam
#: option  jmx off = jmx(?:_| )exporter | open monitoring | prometheus
#: option  node_exporter off = node(?:_| )exporter | open monitoring | prometheus
#: option  encryption on = (?:encrypted|encryption)(?: at rest)?
#: takes   logg?(?:s|ing)?(?: to)? | enabled | tls(?: only)?(?: between clients and brokers)? | between | clients? | brokers? | in transit | versions?
#: owns    \d+ (?:[a-z0-9.]+ )?(?:brokers?|nodes?)(?: nodes?)? | kafka(?: version)? ?\d\S* | clients? and brokers?
#: actor   yes
#: needs   vpc vpc
#: uses    logs s3_bucket
#: uses    group security_group
#: uses    covers log_group
#: uses    key kms_key
#: export  arn aws_msk_cluster.__label__.arn
#: fails   CKV_AWS_81 where plain text was asked for
#: lacks   making a cluster takes the provider longer than a rehearsal waits
#if not group
resource "aws_security_group" "__label___msk" {
  name        = "__name__-msk"
  description = "MSK cluster __name__"
  vpc_id      = __vpc_id__
}

resource "aws_vpc_security_group_ingress_rule" "__label___msk" {
  security_group_id = aws_security_group.__label___msk.id
  description       = "Kafka from inside the VPC"
  ip_protocol       = "tcp"
  from_port         = 9092
  to_port           = 9098
  cidr_ipv4         = __vpc_cidr__
}

#end
resource "aws_cloudwatch_log_group" "__label___msk" {
  name              = "/aws/msk/__name__"
  retention_in_days = 30
  #if key
  kms_key_id = __key_arn__
  #end
}

resource "aws_msk_cluster" "__label__" {
  cluster_name           = "__name__"
  kafka_version          = "__version__"
  number_of_broker_nodes = __brokers__
  enhanced_monitoring    = "PER_BROKER"

  broker_node_group_info {
    instance_type  = "__broker_type__"
    client_subnets = __vpc_private_subnets__
    #if group
    security_groups = [__group_id__]
    #else
    security_groups = [aws_security_group.__label___msk.id]
    #end

    storage_info {
      ebs_storage_info {
        volume_size = __storage_gb__
      }
    }
  }
  #if iam_auth

  client_authentication {
    sasl {
      iam = true
    }
  }
  #end

  encryption_info {
    #if key
    encryption_at_rest_kms_key_arn = __key_arn__

    #end
    encryption_in_transit {
      #if plain
      client_broker = "TLS_PLAINTEXT"
      #else
      client_broker = "TLS"
      #end
      in_cluster = true
    }
  }

  #if jmx or node_exporter
  open_monitoring {
    prometheus {
      #if jmx
      jmx_exporter {
        enabled_in_broker = true
      }
      #end
      #if node_exporter

      node_exporter {
        enabled_in_broker = true
      }
      #end
    }
  }

  #end
  logging_info {
    broker_logs {
      #if logs
      s3 {
        enabled = true
        bucket  = __logs_id__
        prefix  = "msk/"
      }

      #end
      cloudwatch_logs {
        enabled   = true
        log_group = aws_cloudwatch_log_group.__label___msk.name
      }
    }
  }
}

output "__label___bootstrap_brokers" {
  description = "Addresses of the brokers of __name__."
  #if iam_auth
  value = aws_msk_cluster.__label__.bootstrap_brokers_sasl_iam
  #else
  value = aws_msk_cluster.__label__.bootstrap_brokers_tls
  #end
}
