"""Prompts as people word them in public questions, set down before the recipes were looked at again.

Each must give exactly the resources that are listed (with these settings somewhere in the code), and
files that the real terraform formats, initialises and validates without a word.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from model_prompts import PLAIN, TOGETHER
from test_model_public import PROMPTS as PUBLIC

from toolkit.local.model.blocks import addresses
from toolkit.local.model.compose import Existing, compose
from toolkit.local.model.prompt import read_prompt

# (prompt, resource type → how many at least, texts that must stand in the code)
PROMPTS: list[tuple[str, dict[str, int], list[str]]] = [
    (
        "Set up a new terraform project, creating a best practice s3 bucket.",
        {
            "aws_s3_bucket": 1,
            "aws_s3_bucket_versioning": 1,
            "aws_s3_bucket_public_access_block": 1,
            "aws_s3_bucket_server_side_encryption_configuration": 1,
        },
        ["hashicorp/aws"],
    ),
    (
        "create an sqs queue with a dead letter queue and a lambda that processes the messages",
        {
            "aws_sqs_queue": 2,
            "aws_lambda_function": 1,
            "aws_lambda_event_source_mapping": 1,
            "aws_iam_role": 1,
        },
        ["deadLetterTargetArn", "sqs:ReceiveMessage"],
    ),
    (
        "I need a VPC with 2 public and 2 private subnets across two AZs and a security group "
        "allowing 443 from anywhere",
        {"aws_vpc": 1, "aws_subnet": 2, "aws_internet_gateway": 1, "aws_security_group": 1},
        ["443", "0.0.0.0/0", "count"],
    ),
    (
        "dynamodb table for user sessions with TTL and a KMS key",
        {"aws_dynamodb_table": 1, "aws_kms_key": 1},
        ['"user-sessions"', "ttl {", "kms_key_arn"],
    ),
    (
        "How do I make an SNS topic that fans out to two SQS queues called orders and billing?",
        {"aws_sns_topic": 1, "aws_sqs_queue": 2, "aws_sns_topic_subscription": 2, "aws_sqs_queue_policy": 2},
        ['"orders"', '"billing"', "sns.amazonaws.com"],
    ),
    (
        "Write terraform for an S3 bucket named acme-uploads that triggers a Lambda function when a file is "
        "uploaded. Use python 3.12, 256 MB memory and a timeout of 30 seconds.",
        {
            "aws_s3_bucket": 1,
            "aws_lambda_function": 1,
            "aws_s3_bucket_notification": 1,
            "aws_lambda_permission": 1,
        },
        ['"acme-uploads"', '"python3.12"', "256", "30", "s3:ObjectCreated:*"],
    ),
    (
        "Provision an RDS postgres 15 database (db.t3.small, 50 GB) in the private subnets of a new VPC "
        "10.1.0.0/16, reachable only from its security group",
        {"aws_vpc": 1, "aws_db_instance": 1, "aws_db_subnet_group": 1, "aws_security_group": 1},
        ['"10.1.0.0/16"', '"db.t3.small"', "50", '"15"', "manage_master_user_password"],
    ),
    (
        "launch a t3.small ec2 instance running amazon linux 2023 in a public subnet with ssh access "
        "from 203.0.113.0/24",
        {"aws_instance": 1, "aws_vpc": 1, "aws_security_group": 1},
        ['"t3.small"', '"203.0.113.0/24"', "22", "al2023"],
    ),
    (
        "A CloudWatch log group /app/web with 90 days retention encrypted with a customer managed key",
        {"aws_cloudwatch_log_group": 1, "aws_kms_key": 1},
        ['"/app/web"', "90", "kms_key_id"],
    ),
    (
        "iam role called deployer that can be assumed by EC2 with read-only access to an s3 bucket "
        "named artifacts-eu",
        {"aws_iam_role": 1, "aws_iam_policy": 1, "aws_s3_bucket": 1},
        ['"deployer"', '"artifacts-eu"', "ec2.amazonaws.com", "s3:GetObject"],
    ),
    (
        "FIFO queue `orders-events.fifo` with visibility timeout of 60 seconds, 14 days message "
        "retention and a DLQ with max receive count 3",
        {"aws_sqs_queue": 2},
        ['"orders-events.fifo"', "60", "1209600", "maxReceiveCount", "3"],
    ),
    (
        "Please create three S3 buckets without versioning and with a 30-day lifecycle expiration",
        {"aws_s3_bucket": 3, "aws_s3_bucket_lifecycle_configuration": 3},
        ["days = 30"],
    ),
    (
        "Serverless backend: a lambda function named api-handler (nodejs 20) writing to a DynamoDB table "
        "called `orders` with partition key order_id and sort key created_at (number)",
        {"aws_lambda_function": 1, "aws_dynamodb_table": 1, "aws_iam_role_policy": 1},
        ['"api-handler"', '"nodejs20.x"', '"order_id"', '"created_at"', '"N"', "dynamodb:PutItem", "TABLE"],
    ),
    (
        "mysql 8.0 rds instance with multi-az, 7 day backups and deletion protection",
        {"aws_db_instance": 1},
        ['"mysql"', '"8.0"', "multi_az", "deletion_protection", "backup_retention_period"],
    ),
    (
        "I want a simple web server setup: one VPC, a security group that allows http and https, and two EC2 "
        "instances in the public subnets",
        {"aws_vpc": 1, "aws_security_group": 1, "aws_instance": 2},
        ["80", "443", "subnet_id"],
    ),
]


def test_each_prompt_gives_what_it_asks_for() -> None:
    for prompt, expected, texts in PROMPTS:
        wishes = read_prompt(prompt)
        assert not wishes.unknown, prompt
        code = "\n".join(compose(wishes).files.values())
        found = re.findall(r'^resource "(\w+)"', code, re.M)
        for kind, count in expected.items():
            assert found.count(kind) >= count, f"{kind} is missing for: {prompt}"
        for text in texts:
            assert text in code, f"{text} is missing for: {prompt}"


@pytest.mark.parametrize(
    ("prompt", "counts"),
    [
        (PROMPTS[0][0], {"s3_bucket": 1}),
        (PROMPTS[1][0], {"sqs_queue": 1, "lambda_function": 1}),
        (PROMPTS[6][0], {"rds_instance": 1, "vpc": 1, "security_group": 1}),
        (PROMPTS[9][0], {"iam_role": 1, "s3_bucket": 1}),
        (PROMPTS[14][0], {"vpc": 1, "security_group": 1, "ec2_instance": 2}),
    ],
)
def test_nothing_is_made_that_was_not_asked_for(prompt: str, counts: dict[str, int]) -> None:
    kinds = [wish.kind for wish in read_prompt(prompt).wishes]
    assert {kind: kinds.count(kind) for kind in kinds} == counts


def test_what_the_prompt_switches_off_is_off() -> None:
    code = "\n".join(compose(read_prompt(PROMPTS[11][0])).files.values())
    assert 'status = "Enabled"' not in re.findall(r"versioning_configuration \{(.*?)\}", code, re.S)[0]
    plain = compose(read_prompt("an sqs queue without a dead letter queue and a bucket, no versioning")).files
    assert "dlq" not in plain["sqs.tf"]
    assert 'status = "Disabled"' in plain["s3.tf"]


def test_what_no_recipe_took_up_is_told() -> None:
    wishes = read_prompt("an s3 bucket with requester pays")
    assert wishes.ignored == ("requester", "pays")


def test_a_second_composition_beside_the_first_declares_nothing_twice() -> None:
    first = compose(read_prompt("an s3 bucket and a kms key")).files
    declared = frozenset[str]().union(*(addresses(text) for text in first.values()))
    second = compose(read_prompt("an s3 bucket and a kms key"), Existing(frozenset(first), declared)).files
    again = frozenset[str]().union(*(addresses(text) for text in second.values()))
    assert not set(first) & set(second)
    assert not declared & again
    assert "aws_s3_bucket.data_2" in again


@pytest.fixture(scope="module")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> "Terraform":
    return Terraform(tmp_path_factory.mktemp("terraform"))


class Terraform:
    """The real terraform, with the mirror of this machine and nothing of its user's configuration."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        named = os.environ.get("TFKIT_PROVIDER_MIRROR", "")
        mirrors = [Path(named)] if named else [p.parent for p in Path("/opt").glob("*/registry.terraform.io")]
        assert mirrors, "these tests need a provider mirror: set TFKIT_PROVIDER_MIRROR"
        config = folder / "terraform.rc"
        config.write_text(
            f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirrors[0]}"\n  }}\n}}\n'
        )
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "TF_CLI_CONFIG_FILE": str(config),
            "TF_DATA_DIR": str(folder / "data"),
            "CHECKPOINT_DISABLE": "1",
        }

    def run(self, root: Path, *arguments: str) -> None:
        """Run terraform in `root` and fail with its words if it fails, or warns."""
        binary = shutil.which("terraform")
        assert binary, "these tests need terraform on the PATH"
        command = [binary, f"-chdir={root}", *arguments, "-no-color"]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        # init warns of the one platform in the mirror; that is the mirror's affair
        assert arguments[0] == "init" or "Warning" not in done.stdout, done.stdout


EDGES = [
    "a lambda in python 3.11 inside the vpc writing to an s3 bucket encrypted with a kms key, "
    "vpc with a nat gateway",
    "s3 bucket that sends event notifications to an sqs queue and an sns topic, "
    "all encrypted with a customer managed key",
    "lambda that publishes to an sns topic and reads from two queues named first and second",
    "sns topic with email alerts to ops@example.com that triggers a lambda",
    "vpc with 3 public and 3 private subnets, a nat gateway per az, flow logs, in eu-west-1",
    "security group open on ports 80, 443 and 8080 from 10.0.0.0/8 and ssh from 1.2.3.4",
    "ec2 instance t4g.small with an iam role, 40 GB encrypted disk and a kms key",
    "publicly accessible mariadb database without deletion protection, 5 GB",
    "dynamodb table named t with streams, gsi on email, 5 read units and 5 write units, no encryption",
    "iam role for lambda with read write access to a dynamodb table and a queue",
    "s3 bucket that is public without encryption, archived to glacier after 90 days",
    "fifo sns topic and a fifo sqs queue",
    "x86 nodejs lambda `cleanup` with reserved concurrency of 5 and no tracing",
    "kms key with alias and rotation every 180 days, 10 day deletion window",
    "three private networks: VPC 10.0.0.0/24 without public subnets and an rds mysql",
]


WORDED = [
    "Terraform script to set up a postgres RDS instance (db.t3.micro, 20 GB) in private subnets, with "
    "a security group that only lets the app servers in on port 5432",
    "Please write Terraform code which creates a CloudWatch log group with 14 days retention and an "
    "IAM role that allows a Lambda function to write to it",
    "How can I create an EC2 instance with an IAM role that lets it read from an S3 bucket named app-config?",
    "I need a security group for a bastion host that allows SSH only from 198.51.100.7, and another "
    "security group for the app servers that only accepts SSH from the bastion",
    "Create an IAM role for ECS tasks that lets them read messages from an SQS queue named jobs, with "
    "a dead letter queue after 3 attempts",
    "Create a KMS key and an S3 bucket encrypted with it. The bucket should keep old files for 365 "
    "days and then delete them.",
    "Terraform remote state: S3 bucket with versioning named acme-tfstate and a DynamoDB table for "
    "state locking",
    "Create a MySQL RDS database with 100GB storage in a VPC, accessible only from an EC2 instance in "
    "the public subnet",
    "I want to send SNS notifications to my email alerts@example.com when objects are created in an "
    "S3 bucket",
    "lambda function that is triggered by an SQS queue and stores the results in a DynamoDB table "
    "with partition key job_id",
    "Create a VPC with CIDR 172.16.0.0/16, 3 private subnets, 1 public subnet and a NAT gateway, and "
    "a CloudWatch log group for my application with 7 days retention",
    "Please write a security group that allows inbound HTTPS from 10.20.0.0/16 and no outbound "
    "traffic, in a new VPC with CIDR 10.20.0.0/16",
    "An SNS topic encrypted with a KMS key and an SQS queue subscribed to it, for use by a Lambda function",
    "IAM role for EC2 instances with write access to a CloudWatch log group /var/log/app which is "
    "kept for 60 days",
    "Set up a Lambda function inside a VPC that can connect to a Postgres RDS database on port 5432",
    "Create an EC2 instance t3.large with 100 GB root volume and a security group opening 22 from my "
    "office 203.0.113.10/32 and 443 from everywhere",
    "Two DynamoDB tables called customers and invoices and an IAM role which a Lambda function can "
    "assume to read and write both tables",
    "Lambda function `ingest` in a VPC, security group for the lambda, and an RDS database reachable "
    "from the lambda",
    "security group that blocks all inbound traffic and allows outbound https only, in a vpc",
    "a security group for ssh from sg-0123456789abcdef0 and port 8080 from itself",
    "lambda execution role that may publish to a topic and use a kms key",
    "an EC2 instance with a mysql database and 2 security groups, ssh from 1.2.3.4 and port 3306, in "
    "a vpc with private subnets",
]
"""Two or three kinds each; `test_model_asked.py` says what some of them must give."""


def every_kind() -> list[str]:
    """Prompts and edges, and a plain prompt of each kind that none of them makes."""
    worded = [prompt for prompt, _, _ in PROMPTS] + EDGES
    made = {wish.kind for prompt in worded for wish in read_prompt(prompt).wishes}
    return worded + [prompt for kind, prompt in PLAIN.items() if kind not in made]


def other_words() -> list[str]:
    return WORDED + [prompt["text"] for prompt in PUBLIC if "refused" not in prompt] + TOGETHER


@pytest.mark.parametrize(
    "prompts",
    [every_kind, pytest.param(other_words, marks=pytest.mark.thorough)],
    ids=lambda each: each.__name__,
)
def test_terraform_accepts_every_prompt_and_edge(
    terraform: Terraform, tmp_path: Path, prompts: Callable[[], list[str]]
) -> None:
    """All at once, each as a module of one root: that is one init and one validate."""
    calls = []
    worded = prompts()
    for number, prompt in enumerate(worded):
        wishes = read_prompt(prompt)
        assert wishes.wishes, prompt
        assert not wishes.unknown, (prompt, wishes.unknown)
        files = compose(wishes).files
        write(tmp_path / f"p{number}", files)
        calls.append(f'module "p{number}" {{\n  source = "./p{number}"\n{given(files)}}}\n')
    terraform.run(tmp_path, "fmt", "-check", "-recursive", "-diff")
    (tmp_path / "main.tf").write_text("\n".join(calls))
    terraform.run(tmp_path, "init", "-backend=false", "-input=false")
    terraform.run(tmp_path, "validate")


def test_terraform_accepts_one_project_as_its_own_root(terraform: Terraform, tmp_path: Path) -> None:
    write(tmp_path, compose(read_prompt(PROMPTS[1][0])).files)
    terraform.run(tmp_path, "fmt", "-check")
    terraform.run(tmp_path, "init", "-backend=false", "-input=false")
    terraform.run(tmp_path, "validate")


def given(files: dict[str, str]) -> str:
    """Arguments for the variables without a default, which stand for what exists."""
    declared = re.finditer(r'^variable "(\w+)" \{\n(.*?)^\}', files.get("variables.tf", ""), re.M | re.S)
    needed = {match[1]: match[2] for match in declared if "default" not in match[2]}
    values = {name: "[]" if "list(" in text else '"x"' for name, text in needed.items()}
    return "".join(f"  {name} = {value}\n" for name, value in values.items())


def write(root: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
