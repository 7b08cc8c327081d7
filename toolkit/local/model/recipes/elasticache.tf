#: title   ElastiCache cluster
#: words   (?:(?:amazon|aws|managed) ){0,5}(?:elasti ?cache)(?: for)?(?: (?:redis|memcached|valkey|oss)){0,5}(?: (?:clusters?|replication groups?|caches?|instances?|nodes?))? | (?:(?:an?|managed) )?(?:redis|memcached|valkey)(?: \d[\d.]*)?(?: (?:elasti ?cache))?(?: (?:clusters?|replication groups?|caches?|instances?|on elasti ?cache)){0,5}
#: hints   cache clusters?
#: file    elasticache
#: base    cache
#: one     yes
#: option  engine redis = redis => redis | memcached => memcached | valkey => valkey
#: option  engine_version "" = (?:redis|memcached|valkey)(?: oss)?(?: version| v)? ?(\d+(?:\.\d+){0,5}) | engine version(?: of| is| =|:)? (\d+(?:\.\d+){0,5})
#: option  node_type cache.t4g.micro = (cache\.[a-z0-9]+\.\w+)
#: option  nodes "" = <int>(?: [a-z0-9.]+){0,2} (?:cache )?(?:nodes?|instances?|replicas?|clusters?)(?! ?gb) | nodes?(?: count| number)?(?: of| is| =|:)? <int> | single (?:cache )?node => 1
#: option  failover "" = (?:automatic |auto )?fail ?over => on | multi az => on | high(?:ly)? availab(?:le|ility) => on
#: option  snapshot_days 7 = <days>(?: of)? (?:snapshots?|backups?)(?: retention)? | (?:snapshots?|backups?)(?: [a-z]+){0,4} <days>
#: option  transit on = (?:encryption )?in transit(?: encryption)? | tls
#: option  encryption on = (?:encrypted|encryption)(?: at rest)? | at rest
#: takes   and | automatic | nodes? | rest | transit | sessions? | caching
#: owns    \d+ (?:[a-z0-9.]+ )?(?:cache )?(?:nodes?|instances?|replicas?|clusters?) | read replicas? | replicas? | cache (?:nodes?|instances?)
#: actor   yes
#: needs   vpc vpc
#: uses    group security_group
#: uses    key kms_key
#: export  host __host__
#: fails   CKV_AWS_31 an authentication token would stand in the state; access is by the network only
#: lacks   the emulator forgets minor upgrades and zones: the second plan is not empty
#: fails   CKV_AWS_191 a key of one's own costs money: ask for a KMS key
resource "aws_elasticache_subnet_group" "__label__" {
  name        = "__cache_name__"
  description = "Subnets of the cache __name__"
  subnet_ids  = __vpc_private_subnets__
}

#if not group
resource "aws_security_group" "__label___cache" {
  name        = "__name__-cache"
  description = "Cache __name__"
  vpc_id      = __vpc_id__
}

resource "aws_vpc_security_group_ingress_rule" "__label___cache" {
  security_group_id = aws_security_group.__label___cache.id
  description       = "The cache from inside the VPC"
  ip_protocol       = "tcp"
  from_port         = __port_number__
  to_port           = __port_number__
  cidr_ipv4         = __vpc_cidr__
}

#end
#if engine == memcached
resource "aws_elasticache_cluster" "__label__" {
  cluster_id      = "__cache_name__"
  engine          = "memcached"
  engine_version  = "__engine_version__"
  node_type       = "__node_type__"
  num_cache_nodes = __nodes__
  port            = __port_number__
  #if many_nodes
  az_mode = "cross-az"
  #end
  subnet_group_name = aws_elasticache_subnet_group.__label__.name
  #if group
  security_group_ids = [__group_id__]
  #else
  security_group_ids = [aws_security_group.__label___cache.id]
  #end
  #if transit
  transit_encryption_enabled = true
  #end
}

output "__label___cache_endpoint" {
  description = "Address that clients find the nodes of __name__ by."
  value       = aws_elasticache_cluster.__label__.configuration_endpoint
}
#else
resource "aws_elasticache_replication_group" "__label__" {
  replication_group_id = "__cache_name__"
  description          = "Cache __name__"
  engine               = "__engine__"
  engine_version       = "__engine_version__"
  node_type            = "__node_type__"
  num_cache_clusters   = __nodes__
  port                 = __port_number__
  #if failover
  automatic_failover_enabled = true
  multi_az_enabled           = true
  #else
  automatic_failover_enabled = false
  multi_az_enabled           = false
  #end
  subnet_group_name = aws_elasticache_subnet_group.__label__.name
  #if group
  security_group_ids = [__group_id__]
  #else
  security_group_ids = [aws_security_group.__label___cache.id]
  #end
  #if encryption or key
  at_rest_encryption_enabled = true
  #else
  at_rest_encryption_enabled = false
  #end
  #if key
  kms_key_id = __key_arn__
  #end
  #if transit
  transit_encryption_enabled = true
  #else
  transit_encryption_enabled = false
  #end
  snapshot_retention_limit   = __snapshot_days__
  auto_minor_version_upgrade = true
}

output "__label___cache_endpoint" {
  description = "Address of the primary node of __name__."
  value       = aws_elasticache_replication_group.__label__.primary_endpoint_address
}
#end
