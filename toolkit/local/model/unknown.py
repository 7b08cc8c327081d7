"""What the composer knows to exist and has no recipe for: a prompt that asks for it is refused as a whole."""

from toolkit.local.model.phrases import Hit, Phrase, hits, phrases

_UNKNOWN: dict[str, str] = {
    "EKS cluster": "eks(?: pods?)? | kubernetes | k8s | helm",
    "ECS service": "(?:aws )?ecs(?: tasks?| services?| clusters?)? | fargate(?: tasks?)?",
    "ECR repository": "ecr | container registr(?:y|ies)",
    "Redshift cluster": "redshift",
    "CloudFront distribution": "cloud ?front | cdn",
    "Route 53 zone": "route ?53 | hosted zones? | dns records? | a records?",
    "ElastiCache cluster": "elasticache | redis | memcached | valkey",
    "MSK cluster": "msk | kafka",
    "API Gateway": "api gateways? | apigateway | rest api | http api",
    "AppSync API": "appsync | graphql",
    "EFS file system": "efs | elastic file system | fsx",
    "Step Functions state machine": "step functions? | state machines? | sfn",
    "Cognito user pool": "cognito | user pools?",
    "Athena workgroup": "athena",
    "Glue job": "glue",
    "EMR cluster": "emr",
    "load balancer": "load balancers? | alb | nlb | elb | target groups?",
    "WAF": "waf | web application firewall",
    "Aurora cluster": "aurora | rds clusters? | db clusters? | database clusters?",
    "DocumentDB cluster": "documentdb | docdb | mongodb",
    "Neptune cluster": "neptune",
    "OpenSearch domain": "opensearch | elasticsearch",
    "Kinesis stream": "kinesis | data streams? | firehose",
    "EventBridge rule": "eventbridge | event bus(?:es)? | cloudwatch events? | cron | schedule[dr]?s?",
    "CloudWatch alarm": "alarms? | dashboards?",
    "CloudTrail trail": "cloud ?trail",
    "GuardDuty detector": "guard ?duty | security hub | inspector | macie",
    "AWS Config": "aws config | config rules?",
    "Secrets Manager secret": "secrets? manager | secretsmanager",
    "SSM parameter": "parameter store | ssm parameters?",
    "ACM certificate": "acm | certificates?",
    "SES identity": "ses | email identit(?:y|ies)",
    "Auto Scaling group": "auto ?scaling(?: groups?)? | asg | launch templates? | spot instances?",
    "transit gateway": "transit gateways? | vpc peering | site to site vpn | vpn | direct connect",
    "network ACL": "network acls? | nacls?",
    "VPC endpoint": "vpc endpoints? | gateway endpoints?",
    "CodePipeline": "code ?pipeline | code ?build | code ?deploy | code ?commit",
    "Elastic Beanstalk": "beanstalk | app ?runner | lightsail | amplify",
    "Batch": "aws batch | batch compute",
    "SageMaker": "sagemaker | bedrock",
    "Organizations": "aws organizations? | control tower | service control polic(?:y|ies) | scps?",
    "IAM user": "iam users? | iam groups? | access keys?",
    "OIDC provider": "oidc | openid | identity providers?",
    "Amazon MQ broker": "amazon mq | rabbitmq | activemq",
    "EBS volume": "ebs volumes? | ebs snapshots?",
    "Elastic IP": "elastic ips? | eips?",
    "key pair": "key pairs? | ssh keys?",
    "Transfer server": "sftp | transfer family",
    "S3 static website": "static (?:web )?sites? | static websites? | website hosting | static hosting",
    "S3 replication": "cross region replication | replicat(?:ion|ed?|es?|ing)",
    "S3 Object Lock": "object lock | worm | legal hold",
    "DynamoDB global table": "global tables?",
    "RDS read replica": "read replicas? | rds prox(?:y|ies)",
    "DAX cluster": "dax",
    "Lambda layer": "lambda layers? | layers?",
    "backup plan": "aws backup | backup (?:plans?|vaults?)",
    "budget": "aws budgets? | budget alerts?",
    "another cloud": "azure | gcp | google cloud | digitalocean | cloudflare | openstack | vsphere",
    "another provider": "datadog | github | gitlab | docker | privatelink",
    "backend block": "backend (?:block|config\\w*)",
    "Terraform module": "terraform modules? | reusable modules?",
}
_PHRASES: tuple[tuple[str, tuple[Phrase, ...]], ...] = tuple(
    (title, phrases(patterns)) for title, patterns in _UNKNOWN.items()
)


ACTORS = frozenset(
    {"ECS service", "EKS cluster", "Glue job", "Step Functions state machine", "CodePipeline", "API Gateway"}
    | {"EMR cluster", "SageMaker", "EventBridge rule", "Batch", "Kinesis stream", "Elastic Beanstalk"}
)
"""Who may merely be the one that uses what is asked for ("a role for ECS tasks")."""


def unknown_kinds(text: str) -> list[Hit]:
    """Where the text speaks of what no recipe makes; the value of each hit is its title."""
    return [
        Hit(hit.start, hit.end, title)
        for title, words in _PHRASES
        for hit in hits(words, text)
        if hit.value != "off"
    ]
