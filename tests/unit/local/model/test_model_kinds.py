"""The kinds beyond the basic ones: what exists already, what comes along, whose words are whose, and when."""

import re

import pytest
from model_prompts import PLAIN, TOGETHER

from toolkit.local.model.closing import summary
from toolkit.local.model.compose import compose
from toolkit.local.model.prompt import read_prompt
from toolkit.local.model.recipe import load_book


def kinds(prompt: str) -> list[str]:
    wishes = read_prompt(prompt)
    assert not wishes.unknown
    return sorted(wish.kind for wish in wishes.wishes)


def code(prompt: str) -> str:
    wishes = read_prompt(prompt)
    assert wishes.wishes and not wishes.unknown
    return re.sub(r"[ \t]+", " ", "\n".join(compose(wishes).files.values()))


def told(prompt: str) -> str:
    wishes = read_prompt(prompt)
    return summary(wishes, compose(wishes), ())


def test_every_recipe_has_a_plain_prompt_that_it_takes_up_to_the_last_word() -> None:
    assert set(PLAIN) == set(load_book().recipes)
    for kind, prompt in PLAIN.items():
        assert kind in kinds(prompt), kind
        assert read_prompt(prompt).ignored == (), kind


def test_what_a_recipe_fails_names_a_check_and_a_reason() -> None:
    for recipe in load_book().recipes.values():
        for check, reason in recipe.fails.items():
            assert re.fullmatch(r"CKV2?_AWS_\d+", check), recipe.kind
            assert len(reason.split()) >= 2, (recipe.kind, check)


def test_an_id_in_the_prompt_stands_where_something_would_be_made_otherwise() -> None:
    prompt = "an EFS file system in vpc-0abc123def4567890, in subnet-0a1b2c3d4e5f60718"
    assert kinds(prompt) == ["efs_file_system"]
    assert 'vpc_id = "vpc-0abc123def4567890"' in code(prompt)
    assert 'element(["subnet-0a1b2c3d4e5f60718"], count.index)' in code(prompt)
    assert "its ids show that it exists: VPC" in told(prompt)


def test_what_exists_and_is_not_named_becomes_a_variable() -> None:
    text = code("a DB subnet group in my existing VPC")
    assert "subnet_ids = var.private_subnet_ids" in text
    assert 'variable "private_subnet_ids" {' in text
    assert 'variable "vpc_id"' not in text
    assert "type = list(string)" in text


def test_a_function_that_exists_is_called_and_not_made() -> None:
    text = code("my existing lambda report-maker must run every weekday at 6:30 am")
    assert 'function_name = "report-maker"' in text
    assert 'resource "aws_lambda_function"' not in text
    assert "cron(30 6 ? * MON-FRI *)" in text


@pytest.mark.parametrize(
    ("prompt", "unknown"),
    [
        ("a VPC endpoint for S3", "VPC endpoint"),
        ("a DynamoDB global table", "DynamoDB global table"),
        ("a serverless MSK cluster", "MSK Serverless"),
        ("Redshift Serverless", "Redshift Serverless"),
        ("an ElastiCache user", "ElastiCache user"),
        ("a Firehose stream delivering to Redshift", "Firehose destination other than S3"),
        ("an ACM certificate for an ALB", "ACM certificate"),
        ("an EventBridge rule on a custom event bus", "event bus"),
        ("an RDS proxy", "RDS read replica"),
    ],
)
def test_a_neighbour_of_a_known_kind_is_refused_and_nothing_like_it_is_made(
    prompt: str, unknown: str
) -> None:
    assert unknown in read_prompt(prompt).unknown


@pytest.mark.parametrize(
    ("words", "schedule"),
    [
        ("every 5 minutes", "rate(5 minutes)"),
        ("every minute", "rate(1 minute)"),
        ("every hour", "rate(1 hour)"),
        ("every day at 3:30 am", "cron(30 3 * * ? *)"),
        ("nightly", "cron(0 0 * * ? *)"),
        ("every monday at 9 pm", "cron(0 21 ? * MON *)"),
        ("monthly", "cron(0 0 1 * ? *)"),
        ("with the expression cron(15 10 ? * 6L 2026-2028)", "cron(15 10 ? * 6L 2026-2028)"),
    ],
)
def test_a_schedule_is_read(words: str, schedule: str) -> None:
    assert f'schedule_expression = "{schedule}"' in code(f"an EventBridge rule {words} and a lambda")


@pytest.mark.parametrize(
    ("prompt", "lines"),
    [
        (
            "an alarm when CPU of instance i-0123456789abcdef0 is over 80 % for 10 minutes",
            [
                "threshold = 80",
                "period = 300",
                "evaluation_periods = 2",
                'InstanceId = "i-0123456789abcdef0"',
            ],
        ),
        (
            "a lambda and an alarm when it has more than 5 errors in 3 periods of 60 seconds",
            [
                "threshold = 5",
                "period = 60",
                "evaluation_periods = 3",
                'statistic = "Sum"',
                "FunctionName = aws_lambda_function.handler.function_name",
            ],
        ),
        (
            "an RDS instance and an alarm when free storage drops below 5000000000",
            ['comparison_operator = "LessThanThreshold"', "threshold = 5000000000", '"FreeStorageSpace"'],
        ),
        ("a billing alarm over 50 dollars", ["threshold = 50", 'Currency = "USD"', '"AWS/Billing"']),
    ],
)
def test_an_alarm_watches_what_the_prompt_says(prompt: str, lines: list[str]) -> None:
    text = code(prompt)
    assert [line for line in lines if line not in text] == []


@pytest.mark.parametrize(
    ("prompt", "has", "lacks"),
    [
        ("an EKS cluster without a node group", "aws_eks_cluster", "aws_eks_node_group"),
        (
            "an Aurora cluster without deletion protection",
            "deletion_protection = false",
            "final_snapshot_identifier",
        ),
        ("a redis cluster with 1 node", "num_cache_clusters = 1", "automatic_failover_enabled = true"),
        ("an EFS file system with no mount targets", "aws_efs_file_system", "aws_efs_mount_target"),
        ("a VPC without an internet gateway", "aws_vpc", "aws_internet_gateway"),
        ("a network load balancer without TLS", 'protocol = "TCP"', "certificate_arn"),
        ("an internal ALB", "internal = true", "0.0.0.0/0"),
    ],
)
def test_negations_and_numbers_are_honoured(prompt: str, has: str, lacks: str) -> None:
    text = code(prompt).split('resource "aws_route_table')[0] if "ALB" in prompt else code(prompt)
    assert has in code(prompt)
    assert lacks not in text


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("an Aurora cluster with 3 instances", ["aurora_cluster", "vpc"]),
        ("an EKS cluster with 2 t3.large instances as nodes", ["eks_cluster", "vpc"]),
        ("an MSK cluster with 3 kafka.m5.large brokers and Kafka 3.6.0", ["msk_cluster", "vpc"]),
        ("a rule when an EC2 instance is stopped: event rule to SNS", ["event_rule", "sns_topic"]),
        ("an EKS cluster. The EKS cluster, an EKS cluster for tests, is private", ["eks_cluster", "vpc"]),
        ("an EKS cluster named a and an EKS cluster named b", ["eks_cluster", "eks_cluster", "vpc"]),
        ("a security group for the load balancer, port 443 from anywhere", ["security_group"]),
        ("whenever I upload a file to my bucket call a lambda", ["lambda_function", "s3_bucket"]),
    ],
)
def test_words_that_belong_to_one_kind_make_no_other(prompt: str, expected: list[str]) -> None:
    assert kinds(prompt) == expected


def test_a_balancer_reaches_its_instances_and_nobody_else_does() -> None:
    text = code("an ALB with a target group on port 8080 and 2 EC2 instances")
    group = re.search(r'"aws_vpc_security_group_ingress_rule" "instance_tcp_8080" \{(.*?)\n\}', text, re.S)
    assert group and "referenced_security_group_id = aws_security_group.web_lb.id" in group[1]
    assert text.count("aws_lb_target_group_attachment") == 2


def test_a_function_may_only_feed_the_stream_and_not_write_its_bucket() -> None:
    text = code("a lambda that puts records into a Firehose stream which writes to a bucket named raw")
    statements = re.search(r'policy_document" "handler_lambda" \{(.*?)\n\}', text, re.S)
    assert statements and "firehose:PutRecord" in statements[1]
    assert "s3:PutObject" not in statements[1]


def test_a_certificate_is_a_variable_that_must_be_given() -> None:
    text = code("an ALB with an HTTPS listener")
    declared = re.search(r'variable "web_certificate_arn" \{(.*?)\n\}', text, re.S)
    assert declared and "default" not in declared[1]
    assert 'status_code = "HTTP_301"' in text


def test_a_secret_has_no_value_in_the_files() -> None:
    assert "secret_version" not in code("a secret named app/token in Secrets Manager with an API key")


def test_types_of_terraform_read_like_words() -> None:
    assert kinds("an aws_lb with an aws_lb_target_group and an aws_route53_zone") == [
        "load_balancer",
        "route53_zone",
        "vpc",
    ]


@pytest.mark.parametrize("word", ["a ", "the an a ", "instances ", "and port 22 ", "x.y ", "public private "])
def test_an_endless_prompt_is_read_to_its_end(word: str) -> None:
    assert read_prompt((word * 1000)[:2000]).unknown == ()


def test_all_together_are_understood() -> None:
    for prompt in TOGETHER:
        assert kinds(prompt), prompt
