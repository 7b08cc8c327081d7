"""Plain prompts, one for each kind of recipe, and some that put several kinds together."""

PLAIN = {
    "aurora_cluster": "an Aurora PostgreSQL cluster",
    "codebuild_project": "a CodeBuild project for https://github.com/acme/app.git",
    "db_subnet_group": "a db subnet group",
    "dynamodb_table": "a DynamoDB table",
    "ec2_instance": "an EC2 instance",
    "efs_file_system": "an EFS file system",
    "eks_cluster": "an EKS cluster with a node group",
    "elasticache": "an ElastiCache redis cluster",
    "event_rule": "an EventBridge rule every 5 minutes that invokes a lambda",
    "firehose_stream": "a Firehose delivery stream",
    "http_api": "an HTTP API gateway with a lambda behind it",
    "iam_role": "an IAM role for ec2",
    "instance_profile": "an instance profile for my existing role app-role",
    "internet_gateway": "an internet gateway for vpc-0abc123def4567890",
    "kms_key": "a KMS key",
    "lambda_function": "a Lambda function",
    "lambda_permission": "let S3 invoke my existing lambda function order-handler",
    "load_balancer": "an ALB with 2 EC2 instances as targets",
    "log_group": "a log group",
    "metric_alarm": "an alarm for cpu over 80% for 10 minutes of i-0123456789abcdef0, mail ops@example.com",
    "msk_cluster": "an MSK cluster",
    "policy_attachment": "attach ReadOnlyAccess to my existing role app-role",
    "rds_instance": "an RDS instance",
    "redshift_cluster": "a Redshift cluster",
    "route53_record": "a public zone example.com with an A record www.example.com to 203.0.113.7",
    "route53_zone": "a private hosted zone example.internal",
    "route_table": (
        "a route table for vpc-0abc123def4567890 with a default route to igw-0123456789abcdef0 for "
        "subnet-0a1b2c3d4e5f60718"
    ),
    "s3_bucket": "an s3 bucket",
    "s3_object": 'an S3 object with key a.txt and content "hello"',
    "secret": "a secret in Secrets Manager named app/db",
    "security_group": "a security group for https from 10.0.0.0/8",
    "sns_topic": "an SNS topic",
    "sqs_queue": "an SQS queue",
    "vpc": "a VPC",
}

TOGETHER = [
    "an internal network load balancer on tcp port 5432 in vpc-0abc123def4567890",
    (
        "an internet facing ALB with an HTTPS listener and a security group for the ALB that allows"
        " 443 from 10.0.0.0/8, in front of 2 EC2 instances on port 8080"
    ),
    "a memcached cluster with 2 nodes and a Lambda function that connects to it",
    (
        "an Aurora MySQL cluster without deletion protection, a lambda that queries it, and "
        "everything encrypted with a KMS key"
    ),
    (
        "an EKS cluster with a node group of t4g.large spot nodes in subnet-0a1b2c3d4e5f60718 and "
        "subnet-0f9e8d7c6b5a41322, with a KMS key"
    ),
    (
        "a Lambda function that puts records into a Firehose stream which writes to a bucket named "
        "raw-events, with a KMS key"
    ),
    "trigger codebuild nightly with eventbridge",
    (
        "an HTTP API with routes GET /users and DELETE /users/{id} calling my existing lambda user-"
        "service, with CORS"
    ),
    "an HTTP API that proxies to https://example.com/app",
    "my existing lambda report-maker must run every weekday at 6:30 am",
    "an MSK cluster with jmx_exporter, IAM authentication, logging to an S3 bucket, and a KMS key",
    "an alarm on an RDS instance when free storage is below 5000000000 for 15 minutes",
    "alarms for a DynamoDB table with throttled requests over 10, and an email to ops@example.com",
    "I want to point app.example.com to my ALB with Route 53",
    (
        "add an inbound rule for port 5432 from sg-0123456789abcdef0 to the existing security group"
        " sg-0fedcba9876543210"
    ),
    (
        "an EFS file system in my existing VPC with an access point at /data, moved to infrequent "
        "access after 20 days"
    ),
    "a Redshift cluster with 2 nodes, a security group for redshift, and a KMS key",
    "an SNS topic with email ops@example.com for an event rule when a codebuild build fails",
    "vpc with 2 public subnets and without an internet gateway",
    "a role for a Lambda function that may read a secret named app/token and feed a Firehose stream",
    "a queue named bills with a DLQ, and an alarm on the DLQ that mails ops@example.com, with a KMS key",
    "an alarm as soon as anything lands in the dead letter queue of a queue, mail ops@example.com",
    "a role that lets ec2 read the objects in our bucket acme-stock",
    "a lambda that reads from my existing bucket",
    "a firehose stream to my existing bucket acme-raw",
    "a mysql RDS instance with 60 GB that can grow to 250 GB",
    "a versioned bucket that deletes old versions after 21 days",
    "a VPC with three availability zones with public and private subnets and a NAT gateway",
    "a DynamoDB table invoices with a global secondary index by-customer on customer_id",
]
