"""The checker as a function of its own, for real: an emulator, its role, the real terraform."""

import io
import json
import os
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from checker_fakes import HEAD, tree

from stacks.checker import checker_policy
from stacks.policies import document, trust
from toolkit.checker.inprocess import InProcessChecker
from toolkit.checker.remote import READ_TIMEOUT_S, RemoteChecker
from toolkit.checker.sandbox import UNSANDBOXED, level
from toolkit.contracts import PlatformConfig, Registry, Tree
from toolkit.emulator import Emulator
from toolkit.errors import PlatformError

BOTH = ("fmt", "validate")
CONFIG = PlatformConfig(
    stack="dev",
    account="000000000000",
    region="us-east-1",
    partition="aws",
    prefix="tfkit-dev",
    version="0.1.0",
    registry=Registry(default="", models={}),
    checker_handler="index.handler",
)
BUCKET = '\nresource "aws_s3_bucket" "this" {\n  bucket = "a-bucket"\n}\n'

# The function as it is deployed; beside the handler, what it can and what it sees.
INDEX = """
import os, boto3
from toolkit.checker.handler import handler

def look(event, context):
    mine = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    try:
        boto3.client("s3").list_buckets()
    except Exception as error:
        return {"mine": mine, "refused": str(error)}
    return {"mine": mine, "refused": ""}
"""

# A terraform that shows what the process that started it knows.
LOOK = """#!{python}
import json, os, sys
if sys.argv[1] == "version":
    print(json.dumps({{"terraform_version": "1.11.4", "platform": "linux_amd64"}}))
    sys.exit()
with open({seen!r}, "ab") as log:
    log.write(open(f"/proc/{{os.getppid()}}/environ", "rb").read())
print(json.dumps({{"valid": True, "diagnostics": []}}))
"""

Deploy = Callable[..., str]


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    made = Emulator(tmp_path_factory.mktemp("emulator"))
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def client(emulator: Emulator) -> Callable[[str], Any]:
    config = Config(read_timeout=READ_TIMEOUT_S, retries={"total_max_attempts": 1})
    return lambda service: boto3.client(
        service,
        endpoint_url=emulator.endpoint,
        region_name=CONFIG.region,
        aws_access_key_id=emulator.key,
        aws_secret_access_key=emulator.secret,
        config=config,
    )


@pytest.fixture(scope="module")
def deploy(client: Callable[[str], Any]) -> Deploy:
    """Makes a function under the checker's role; returns its name."""
    iam = client("iam")
    trusted = document(trust("LambdaRunsTheChecker", {"Service": "lambda.amazonaws.com"}))
    role = iam.create_role(RoleName="checker", AssumeRolePolicyDocument=trusted)["Role"]["Arn"]
    iam.put_role_policy(RoleName="checker", PolicyName="check", PolicyDocument=checker_policy(CONFIG))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", INDEX)

    def function(name: str, handler: str = "index.handler", **more: Any) -> str:
        client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.11",
            Role=role,
            Handler=handler,
            Code={"ZipFile": buffer.getvalue()},
            Timeout=CONFIG.checker_timeout_s,
            **more,
        )
        return name

    return function


@pytest.fixture(scope="module")
def checker(client: Callable[[str], Any], deploy: Deploy) -> RemoteChecker:
    return RemoteChecker(client("lambda"), deploy("tfkit-dev-checker"))


def test_a_valid_tree_is_ok(checker: RemoteChecker) -> None:
    sent = tree(main_tf=HEAD + BUCKET)
    report = checker.check(sent, BOTH)
    assert report.tree == sent.hash
    assert [(r.validator, r.status, r.findings) for r in report.results] == [
        ("fmt", "ok", []),
        ("validate", "ok", []),
    ]
    assert all(result.tool and result.tool.name == "terraform" for result in report.results)
    assert report.sandbox == f"function, {level()}"


def test_a_mistake_is_a_finding_where_it_was_made(checker: RemoteChecker) -> None:
    report = checker.check(tree(main_tf=HEAD + BUCKET.replace("bucket =", "buckets =")), BOTH)
    assert {r.validator: r.status for r in report.results} == {"fmt": "ok", "validate": "findings"}
    assert [(f.rule, f.file, f.line) for f in report.findings] == [("unsupported-argument", "main.tf", 11)]


def test_it_says_what_a_checker_in_process_says(checker: RemoteChecker, tmp_path: Path) -> None:
    local = InProcessChecker(tmp_path)
    for text in (HEAD + BUCKET, 'module "m" {\n  source = "./missing"\n}\n', "locals { x = "):
        sent = tree(main_tf=text)
        init, there = local.init(sent), checker.init(sent)
        assert (there.status, there.findings) == (init.status, init.findings)
        report, there = local.check(sent, BOTH), checker.check(sent, BOTH)
        assert there.findings == report.findings
        assert there.skipped == report.skipped
    local.close()


@pytest.mark.parametrize(
    ("files", "by", "rule"),
    [
        ({"main.tf": 'locals {\n  x = tonumber(file("/proc/self/environ"))\n}\n'}, "scan", "file-path"),
        ({"main.tf": 'data "external" "x" {\n  program = ["id"]\n}\n'}, "scan", "external"),
        ({"main.tf": HEAD, ".terraform/terraform.tfstate": "{}"}, "staging", "refused-path"),
        ({"main.tf": HEAD, "terraform.d/plugins/x.json": "{}"}, "staging", "refused-path"),
    ],
)
def test_a_hostile_tree_is_refused_with_the_reason(
    checker: RemoteChecker, files: dict[str, str], by: str, rule: str
) -> None:
    report = checker.check(Tree(files={name: text.encode() for name, text in files.items()}), BOTH)
    assert [(r.validator, r.status) for r in report.results] == [(by, "findings")]
    assert rule in {finding.rule for finding in report.findings}
    assert {each.validator for each in report.skipped} >= set(BOTH)


def test_nothing_of_the_checks_is_left(checker: RemoteChecker, emulator: Emulator) -> None:
    checker.check(tree(main_tf=HEAD + BUCKET, readme_tf="# another tree\n"), BOTH)
    assert not list((emulator.folder / "tmp").glob("tfkit-*"))


def test_a_failure_is_told_with_its_reason(checker: RemoteChecker) -> None:
    with pytest.raises(PlatformError, match="unknown validator nonsense") as error:
        checker.check(tree(main_tf=HEAD), ["nonsense"])
    assert "/aws/lambda/tfkit-dev-checker" in error.value.hint


def test_a_function_that_is_not_there_is_a_failure(client: Callable[[str], Any]) -> None:
    with pytest.raises(PlatformError, match="no-checker failed"):
        RemoteChecker(client("lambda"), "no-checker").check(tree(main_tf=HEAD), BOTH)


def test_the_check_has_none_of_the_functions_credentials(
    client: Callable[[str], Any], deploy: Deploy, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    terraform = tmp_path / "terraform"
    terraform.write_text(LOOK.format(python=sys.executable, seen=str(seen)))
    terraform.chmod(0o755)
    # As on AWS: the function has credentials of its role, and variables of the platform. Without the sandbox,
    # in which this terraform could look at nothing.
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    variables = {"PATH": path, "TFKIT_STACK": "dev", UNSANDBOXED: "1"}
    more = {"Environment": {"Variables": variables}}

    name = deploy("looking", "index.look", **more)
    looked = json.loads(client("lambda").invoke(FunctionName=name)["Payload"].read())
    assert looked["mine"]["AWS_SECRET_ACCESS_KEY"]
    assert "AccessDenied" in looked["refused"]

    RemoteChecker(client("lambda"), deploy("checking", **more)).check(tree(main_tf=HEAD), ["validate"])
    known = seen.read_bytes()
    assert b"TMPDIR=" in known
    assert b"AWS_" not in known
    assert b"TFKIT_STACK" not in known
