"""What the composer knows to exist and has no recipe for: a prompt that asks for it is refused as a whole."""

from toolkit.local.model.phrases import Hit, Phrase, hits, phrases

_UNKNOWN: dict[str, str] = {
    "ECS service": "(?:aws )?ecs(?: tasks?| services?| clusters?)? | fargate(?: tasks?)?",
    "ECR repository": "ecr | container registr(?:y|ies)",
    "CloudFront distribution": "cloud ?front | cdn",
    "REST API": "rest apis? | api gateway v1 | usage plans? | api keys?(?= for)",
    "AppSync API": "appsync | graphql",
    "Step Functions state machine": "step functions? | state machines? | sfn",
    "Cognito user pool": "cognito | user pools?",
    "Athena workgroup": "athena",
    "Glue job": "glue",
    "EMR cluster": "emr",
    "WAF": "waf | web application firewall",
    "DocumentDB cluster": "documentdb | docdb | mongodb",
    "Neptune cluster": "neptune",
    "ElastiCache user": "(?:elasticache|redis|valkey) users?(?: groups?)? | elasticache serverless"
    " | serverless (?:elasticache|redis|cache)",
    "MSK Serverless": "msk serverless | serverless (?:msk|kafka) | (?:msk|kafka) connect(?:ors?)?",
    "Redshift Serverless": "redshift serverless | serverless redshift | redshift spectrum",
    "Redshift endpoint access": "redshift endpoint access | endpoint access",
    "event subscription": "event subscriptions? | notifications on events",
    "resource policy": "resource polic(?:y|ies)",
    "Firehose destination other than S3": "(?:http endpoint|splunk|snowflake|redshift(?: cluster)?|"
    "opensearch(?: serverless)?|elasticsearch|datadog|new relic)(?: as)?(?: an?| the)? destinations? | "
    "fire ?hose(?:(?: delivery)? streams?)?(?: that)?(?: (?:deliver|writ|send)\\w*)?"
    "(?: [a-z]+)? to (?:redshift|splunk|opensearch|snowflake|elasticsearch)"
    " | fire ?hose(?: [a-z]+){0,5} (?:http endpoints?|splunk|snowflake|opensearch)",
    "weighted routing": "(?:weighted|latency|geolocation|failover) (?:based )?(?:routing|records?)",
    "OpenSearch domain": "opensearch | elasticsearch",
    "Kinesis stream": "kinesis | data streams?",
    "event bus": "event bus(?:es)? | eventbridge (?:pipes?|scheduler) | schedulers?",
    "CloudWatch dashboard": "dashboards?",
    "CloudTrail trail": "cloud ?trail",
    "GuardDuty detector": "guard ?duty | security hub | inspector | macie",
    "AWS Config": "aws config | config rules?",
    "SSM parameter": "parameter store | ssm parameters?",
    "Session Manager access": "session manager",
    "stopping and starting instances on a schedule": "(?:stop|start|shut down)(?:s|ping|ting)?"
    "(?: [a-z0-9]+){0,4} (?:instances?|servers?)(?: [\\w=]+){0,3}"
    " (?:at \\d\\w*|on weekdays|every (?:day|night|evening))",
    "stream that triggers a function": "streams?(?: of)?(?: [a-z]+){0,3} (?:trigger|invok|call)\\w*"
    " | (?:trigger|invok)\\w*(?: [a-z]+){0,3} (?:by|from|on|with)(?: [a-z]+){0,3} (?:dynamodb )streams?",
    "ACM certificate": "acm(?: certificates?)? | (?:ssl |tls )?certificates?",
    "SES identity": "ses | email identit(?:y|ies)",
    "Auto Scaling group": "auto ?scaling(?: groups?)? | asg | launch templates? | spot instances?",
    "transit gateway": "transit gateways? | vpc peering | site to site vpn | vpn | direct connect",
    "network ACL": "network acls? | nacls?",
    "VPC endpoint": "vpc endpoints? | (?:gateway|interface) endpoints?",
    "CodePipeline": "code ?pipeline | code ?deploy | code ?commit",
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
    "budget": "aws budgets? | budget alerts? | budgets? | forecast\\w* | (?:aws )?(?:bill|spending)(?= )",
    "Azure resource": "azure | aks | cosmos ?db",
    "Google Cloud resource": "gcp | gke | google cloud(?: \\w+)? | google kubernetes\\w* | cloud run"
    " | bigquery | (?:europe|asia)-(?:west|east|central|north|south|northeast|southeast)\\d",
    "another cloud": "digitalocean | cloudflare | openstack | vsphere",
    "another provider": "datadog | github | gitlab | docker | privatelink",
    "backend block": "backend (?:block|config\\w*)",
    "Terraform module": "terraform modules? | reusable modules?",
}
_PHRASES: tuple[tuple[str, tuple[Phrase, ...]], ...] = tuple(
    (title, phrases(patterns)) for title, patterns in _UNKNOWN.items()
)


ACTORS = frozenset(
    {"ECS service", "Glue job", "Step Functions state machine", "CodePipeline", "EMR cluster", "SageMaker"}
    | {"Batch", "Kinesis stream", "Elastic Beanstalk"}
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


def unwanted_kinds(text: str) -> list[Hit]:
    """Where the text says that it does not want what no recipe makes."""
    return [hit for _, words in _PHRASES for hit in hits(words, text) if hit.value == "off"]
