"""How grave a failed check of checkov is, where its number says little: our opinion, check by check.

checkov itself tells severities only with an account of its vendor. What is not listed is `DEFAULT`.
https://www.checkov.io/5.Policy%20Index/terraform.html
"""

from toolkit.contracts import Severity

DEFAULT: Severity = "medium"

SEVERITIES: dict[str, Severity] = {
    # Open to everybody, or to be taken over.
    "CKV_AWS_20": "critical",  # S3: public READ ACL
    "CKV_AWS_57": "critical",  # S3: public WRITE ACL
    "CKV_AWS_70": "critical",  # S3: policy allows any principal
    "CKV_AWS_24": "critical",  # security group: SSH from anywhere
    "CKV_AWS_25": "critical",  # security group: RDP from anywhere
    "CKV_AWS_41": "critical",  # provider: credentials in code
    "CKV_AWS_46": "critical",  # EC2: secrets in user data
    "CKV_AWS_45": "critical",  # Lambda: secrets in the environment
    "CKV_AWS_1": "high",  # IAM: full administrator
    "CKV_AWS_62": "high",  # IAM: *:* policies
    "CKV_AWS_63": "high",  # IAM: "*" as action
    "CKV_AWS_17": "high",  # RDS: publicly accessible
    "CKV_AWS_16": "high",  # RDS: storage not encrypted
    "CKV_AWS_53": "high",  # S3: public ACLs not blocked
    "CKV_AWS_54": "high",  # S3: public policies not blocked
    "CKV_AWS_55": "high",  # S3: public ACLs not ignored
    "CKV_AWS_56": "high",  # S3: public buckets not restricted
    "CKV2_AWS_6": "high",  # S3: no public access block
    "CKV_AWS_260": "high",  # security group: HTTP from anywhere
    # Costs money or is a matter of the account: replication, keys of one's own, logs elsewhere.
    "CKV_AWS_144": "low",  # S3: no cross-region replication
    "CKV_AWS_145": "low",  # S3: encrypted, but not with a KMS key
    "CKV_AWS_18": "low",  # S3: no access logs
    "CKV_AWS_21": "low",  # S3: no versioning
    "CKV2_AWS_61": "low",  # S3: no lifecycle
    "CKV2_AWS_62": "info",  # S3: no event notifications
    "CKV_AWS_119": "low",  # DynamoDB: not with a customer managed key
    "CKV_AWS_28": "low",  # DynamoDB: no point-in-time recovery
    "CKV_AWS_158": "low",  # log group: no KMS key
    "CKV_AWS_338": "low",  # log group: kept less than a year
    "CKV_AWS_115": "low",  # Lambda: no concurrency limit of its own
    "CKV_AWS_116": "low",  # Lambda: no dead-letter queue
    "CKV_AWS_117": "low",  # Lambda: not in a VPC
    "CKV_AWS_173": "low",  # Lambda: environment not under a customer managed key
    "CKV_AWS_272": "low",  # Lambda: no code signing
    "CKV_AWS_50": "low",  # Lambda: no X-Ray
    "CKV_AWS_126": "low",  # EC2: no detailed monitoring
    "CKV_AWS_135": "low",  # EC2: not EBS optimised
    "CKV_AWS_130": "low",  # subnet: gives public addresses
    "CKV2_AWS_11": "low",  # VPC: no flow logs
    "CKV2_AWS_12": "low",  # VPC: default security group not restricted
    "CKV2_AWS_5": "low",  # security group: attached to nothing
    "CKV_AWS_23": "low",  # security group rule: no description
    "CKV_AWS_382": "low",  # security group: egress to anywhere
    "CKV_AWS_118": "low",  # RDS: no enhanced monitoring
    "CKV_AWS_157": "low",  # RDS: not in several zones
    "CKV_AWS_161": "low",  # RDS: no IAM authentication
    "CKV_AWS_226": "low",  # RDS: no automatic minor upgrades
    "CKV_AWS_293": "low",  # RDS: no deletion protection
    "CKV_AWS_353": "low",  # RDS: no performance insights
    "CKV_AWS_354": "low",  # RDS: performance insights without a key
    "CKV_AWS_129": "low",  # RDS: logs not exported
    "CKV2_AWS_30": "low",  # RDS: no query logs
    "CKV2_AWS_60": "low",  # RDS: tags not copied to snapshots
    "CKV_AWS_136": "low",  # ECR: no KMS key
    "CKV2_AWS_64": "low",  # KMS: no policy of its own
    "CKV_AWS_149": "low",  # Secrets Manager: no customer managed key
    "CKV2_AWS_57": "low",  # Secrets Manager: no rotation
    "CKV2_AWS_41": "low",  # EC2: no IAM role
    "CKV_AWS_394": "low",  # data aws_availability_zones: not pinned to zones by id
    # About policy documents, where it cannot tell the policy of a KMS key, whose "*" means this key.
    "CKV_AWS_109": "low",  # permissions management without constraints
    "CKV_AWS_111": "low",  # write access without constraints
    "CKV_AWS_356": "low",  # "*" as a resource
    "CKV_AWS_337": "low",  # SSM parameter: no customer managed key
    # The same of services whose siblings stand above.
    "CKV_AWS_184": "low",  # EFS: encrypted, but not with a customer managed key
    "CKV_AWS_58": "low",  # EKS: secrets not under a customer managed key
    "CKV_AWS_191": "low",  # ElastiCache: no customer managed key
    "CKV_AWS_241": "low",  # Firehose: no customer managed key
    "CKV_AWS_142": "low",  # Redshift: no customer managed key
    "CKV_AWS_327": "low",  # Aurora: no customer managed key
    "CKV_AWS_91": "low",  # load balancer: no access logs
    "CKV2_AWS_8": "low",  # RDS: no backup plan
    "CKV2_AWS_28": "low",  # load balancer: no web firewall
    "CKV2_AWS_38": "low",  # Route 53: no DNSSEC
    "CKV2_AWS_39": "low",  # Route 53: no query logs
}
