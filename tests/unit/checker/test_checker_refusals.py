"""What terraform said of real programs, captured: what is a refusal, and what is the emulator's.

`rehearsal/mistakes` and `rehearsal/correct` hold the programs, with what was seen in `expected.json`.
"""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from toolkit.checker.reach import Program, guessed, twins
from toolkit.checker.refusals import Step, api_error, is_data, judge
from toolkit.checker.settling import unsettled
from toolkit.checker.staging import read_tree

FOLDER = Path(__file__).with_name("rehearsal")
MISTAKES = sorted(folder.name for folder in (FOLDER / "mistakes").iterdir())
CORRECT = sorted(folder.name for folder in (FOLDER / "correct").iterdir())
NEVER_SETTLE = ["never_settles", "never_settles_uuid"]


def expected(kind: str, name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((FOLDER / kind / name / "expected.json").read_text())
    return read


def plan(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((FOLDER / "plans" / f"{name}.json").read_text())
    return read


def judged(kind: str, name: str, seen: dict[str, Any], *, twin: bool = False) -> tuple[str, str]:
    """As the rehearsal does it: with what the error's place depends on."""
    depends = guessed(Program(read_tree(FOLDER / kind / name)), seen["file"], seen["line"])
    step: Step = seen["step"]
    found = judge(seen["summary"], seen["detail"], seen["address"], step=step, guessed=depends, twin=twin)
    return found.kind, found.code


def test_the_corpus_is_large_enough() -> None:
    assert len(MISTAKES) >= 14
    assert len(CORRECT) >= 24


@pytest.mark.parametrize("name", [name for name in MISTAKES if name not in NEVER_SETTLE])
def test_a_mistake_is_refused(name: str) -> None:
    wanted = expected("mistakes", name)
    first = wanted["errors"][0]
    twin = name.startswith("two_") or name.endswith("_twice")
    assert judged("mistakes", name, first, twin=twin) == ("refused", wanted["code"])
    assert (first["step"], first["address"]) == (wanted["step"], wanted["address"])


@pytest.mark.parametrize("name", [name for name in MISTAKES if name.startswith("two_")])
def test_a_name_that_exists_is_the_programs_doing_only_if_it_is_there_twice(name: str) -> None:
    first = expected("mistakes", name)["errors"][0]
    assert judged("mistakes", name, first)[0] == "unsupported"


@pytest.mark.parametrize("name", MISTAKES)
def test_a_refused_value_is_no_refusal_where_it_was_made_up(name: str) -> None:
    for seen in expected("mistakes", name).get("errors", []):
        found = judge(seen["summary"], seen["detail"], seen["address"], step=seen["step"], guessed=True)
        assert found.kind == ("refused" if name.endswith("_of_unknown") else "unsupported")


@pytest.mark.parametrize("name", CORRECT)
def test_nothing_is_claimed_of_a_correct_program(name: str) -> None:
    wanted = expected("correct", name)
    found = [judged("correct", name, seen)[0] for seen in wanted["errors"]]
    assert "refused" not in found
    assert wanted["outcome"] == ("unsupported" if found or wanted["unsettled"] else "ok")


V2 = (
    "creating X (y): operation error {}, https response error StatusCode: {}, "
    "RequestID: b5face56-fcab-4988-b104-7e19055337c9, {}"
)


@pytest.mark.parametrize(
    ("text", "operation", "status", "code", "message"),
    [
        (V2.format("IAM: CreateRole", 409, "EntityAlreadyExists: is there"), "IAM: CreateRole", 409,
         "EntityAlreadyExists", "is there"),
        (V2.format("EC2: CreateVpc", 400, "api error InvalidVpc.Range: no: really"), "EC2: CreateVpc", 400,
         "InvalidVpc.Range", "no: really"),
        (V2.format("S3: HeadBucket", 301, "HostID: abc, api error MovedPermanently: gone"), "S3: HeadBucket",
         301, "MovedPermanently", "gone"),
        ("reading X: ValidationError: too long\n\tstatus code: 400, request id: 1-2", "", 400,
         "ValidationError", "too long"),
        ("operation error STS: GetCallerIdentity, request send failed", "STS: GetCallerIdentity", 0, "",
         "request send failed"),
        ("creating S3 Bucket (acme): BucketAlreadyExists", "", 0, "BucketAlreadyExists", ""),
    ],
)  # fmt: skip
def test_errors_of_both_generations_of_the_sdk_are_read(
    text: str, operation: str, status: int, code: str, message: str
) -> None:
    assert api_error(text) == (operation, status, code, message)


def test_text_without_an_api_is_none() -> None:
    assert api_error("expected memory_size to be in the range (128 - 10240), got 64") is None


CONSTRAINT = "failed to satisfy constraint: Member must"
SHORT = f"api error ValidationException: Value 'ab' at 'tableName' {CONSTRAINT} have length greater than 2"
VALID = V2.format("DynamoDB: CreateTable", 400, SHORT)


def refused(text: str, address: str = "aws_x.y", step: Step = "apply", *, twin: bool = False) -> bool:
    return judge(text, "", address, step=step, guessed=False, twin=twin).kind == "refused"


def test_the_same_error_is_a_refusal_at_apply_of_a_resource_only() -> None:
    assert refused(VALID)
    assert not refused(VALID, step="plan")
    assert not refused(VALID, step="settle")
    assert not refused(VALID, step="destroy")
    assert not refused(VALID, "module.a[0].data.aws_x.y")


@pytest.mark.parametrize(
    "said",
    [
        "api error UnknownError: UnknownError",
        "api error InvalidAction: Unknown EC2 action: CreateFleet",
        "api error ValidationException: Name is required",
        f"api error ValidationException: Value 'new' at 'keySpec' {CONSTRAINT} satisfy enum value set: [RSA]",
        f"api error ValidationException: {CONSTRAINT} not be null",
        "NoSuchEntity: Policy arn:aws:iam::aws:policy/New does not exist or is not attachable.",
        "api error InvalidVpcID.NotFound: The vpc ID 'vpc-1' does not exist",
        "api error AccessDenied: User is not authorized to perform: s3:CreateBucket",
        "api error MalformedXML: The XML you provided was not well-formed",
        "api error InvalidParameterValueException: Could not unzip uploaded file.",
        "api error InvalidParameterValueException: Failed to fetch code from s3://acme/x.zip",
        "api error NotImplemented: not here",
        "api error InvalidParameterValue: Value (new) for parameter attribute is invalid.",
        "api error ValidationException: One or more parameter values were invalid: Unknown ProjectionType",
        "InvalidAttributeValue: Invalid value for the parameter RedrivePolicy. Value must be a JSON object",
        "MalformedPolicyDocument: Statement 0 has invalid Effect: None",
    ],
)
def test_what_the_emulator_is_known_to_say_wrongly_is_not_claimed(said: str) -> None:
    assert not refused(V2.format("X: Create", 400, said))


def test_a_failing_emulator_is_not_awss_refusal() -> None:
    assert not refused(VALID.replace("StatusCode: 400", "StatusCode: 500"))


@pytest.mark.parametrize(
    "said",
    [
        "Provider produced inconsistent result after apply",
        'Provider produced inconsistent final plan',
        "waiting for RDS DB Instance (x) create: timeout while waiting for state to become 'available'",
        "waiting for EKS Cluster (x) create: unexpected state 'FAILED', wanted target 'ACTIVE'",
        'Post "http://127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: connection refused',
        'Post "https://sts.example/": dial tcp: lookup sts.example: no such host',
        "reading SSM Parameter: couldn't find resource",
        "No valid credential sources found",
        "AWS account ID not allowed: 000000000000",
        "Cannot assume IAM Role",
        "failed to get shared config profile, team",
        "unable to load \"build/function.zip\": open build/function.zip: no such file or directory",
        "Cannot import non-existent remote object",
        "Inconsistent dependency lock file",
        "Failed to load plugin schemas",
        "Error acquiring the state lock",
    ],
)  # fmt: skip
@pytest.mark.parametrize("address", ["aws_x.y", ""])
@pytest.mark.parametrize("step", ["plan", "apply"])
def test_the_rehearsals_surroundings_are_no_refusal(said: str, address: str, step: Step) -> None:
    assert not refused(said, address, step)


def test_a_word_of_the_surroundings_in_a_providers_check_does_not_hide_it() -> None:
    assert refused("expected timeout to be in the range (1 - 900), got 1000", step="plan")


def test_values_at_apply_are_the_emulators() -> None:
    assert refused("Invalid index", "", "plan")
    assert not refused("Invalid index", "", "apply")
    assert not refused("Resource postcondition failed", "", "apply")


def test_a_look_up_is_refused_only_if_it_looks_nothing_up() -> None:
    said = "expected effect to be one of [Allow Deny], got Permit"
    assert refused(said, "data.aws_iam_policy_document.x", "plan")
    assert not refused(said, "data.aws_ami.x", "plan")
    assert not refused("no matching EC2 VPC found", 'module.a["b"].data.aws_vpc.x', "plan")


@pytest.mark.parametrize(
    ("address", "is_checked"),
    [
        ("aws_x.y", True),
        ('module.a["aws_x.y"].module.b[0].aws_x.y[2]', True),
        ("random_id.x", True),
        ("kubernetes_manifest.x", False),
        ("module.aws_x.kubernetes_manifest.x", False),
        ('provider["registry/hashicorp/aws"]', False),
        ('provider["registry/hashicorp/kubernetes"]', False),
    ],
)
def test_only_a_provider_that_asks_nobody_is_believed(address: str, is_checked: bool) -> None:
    assert refused("Failed to construct a client", address, "plan") is is_checked


def test_a_region_that_does_not_exist_is_refused() -> None:
    assert refused("invalid AWS Region: us-esat-1", 'provider["registry/hashicorp/aws"]', "plan")


def test_an_error_without_a_place_that_is_not_of_the_evaluator_is_left_open() -> None:
    assert not refused("Something that nobody has seen yet", "", "plan")


@pytest.mark.parametrize(
    ("address", "is_one"),
    [
        ("data.aws_ami.x", True),
        ('module.data["data.x.y"].data.aws_ami.x[0]', True),
        ("aws_s3_bucket.data", False),
        ('module.m["data.aws_ami.x"].aws_s3_bucket.y', False),
        ("", False),
    ],
)
def test_data_sources_are_known_by_their_address(address: str, is_one: bool) -> None:
    assert is_data(address) is is_one


@pytest.mark.parametrize(("name", "attribute"), [("never_settles", "value"), ("never_settles_uuid", "tags")])
def test_a_value_on_the_move_never_settles(name: str, attribute: str) -> None:
    address = expected("mistakes", name)["address"]
    assert unsettled(plan(f"{name}.first"), plan(f"{name}.second")) == [(address, attribute, "refused")]


def test_what_the_emulator_gives_back_otherwise_is_its_own() -> None:
    found = unsettled(plan("security_group_chain.first"), plan("security_group_chain.second"))
    assert found == [("aws_network_acl.main", "ingress", "unsupported")]


def test_a_settled_program_has_nothing() -> None:
    first = plan("never_settles.first")
    second = copy.deepcopy(first)
    second["resource_changes"][0]["change"]["actions"] = ["no-op"]
    assert unsettled(first, second) == []


def test_a_trigger_is_there_to_move() -> None:
    first, second = plan("never_settles.first"), plan("never_settles.second")
    for shown in (first, second):
        shown["resource_changes"][0]["type"] = "terraform_data"
    assert unsettled(first, second) == []


def test_what_follows_from_another_resource_is_not_blamed() -> None:
    """The parameter's value is unknown because the network's answer differs, and not by a function."""
    first, second = plan("never_settles.first"), plan("never_settles.second")
    for shown, other in ((first, "first"), (second, "second")):
        more = plan(f"security_group_chain.{other}")
        shown["resource_changes"] += more["resource_changes"]
        resources = shown["configuration"]["root_module"]["resources"]
        resources[0]["expressions"]["value"] = {
            "references": ["aws_network_acl.main.arn", "aws_network_acl.main"]
        }
        resources += more["configuration"]["root_module"]["resources"]
    assert ("aws_ssm_parameter.deployed", "value", "unsupported") in unsettled(first, second)


def test_only_the_resource_whose_own_value_moves_is_blamed() -> None:
    first, second = plan("never_settles.first"), plan("never_settles.second")
    for shown, other in ((first, "first"), (second, "second")):
        more = plan(f"never_settles_uuid.{other}")
        more["configuration"]["root_module"]["resources"][0]["expressions"]["tags"] = {
            "references": ["aws_ssm_parameter.deployed.version", "aws_ssm_parameter.deployed"]
        }
        shown["resource_changes"] += more["resource_changes"]
        shown["configuration"]["root_module"]["resources"] += more["configuration"]["root_module"][
            "resources"
        ]
    assert unsettled(first, second) == [
        ("aws_ssm_parameter.deployed", "value", "refused"),
        ("aws_cloudwatch_log_group.run", "tags", "unsupported"),
    ]


def test_through_a_local_it_is_told_only_if_nothing_else_moves() -> None:
    first, second = plan("never_settles.first"), plan("never_settles.second")
    for shown in (first, second):
        expressions = shown["configuration"]["root_module"]["resources"][0]["expressions"]
        expressions["value"] = {"references": ["local.now"]}
    assert [found.kind for found in unsettled(first, second)] == ["refused"]
    other = plan("security_group_chain.second")
    second["resource_changes"] += other["resource_changes"]
    second["configuration"]["root_module"]["resources"] += other["configuration"]["root_module"]["resources"]
    assert {found.kind for found in unsettled(first, second)} == {"unsupported"}


def test_a_known_value_that_moves_is_told_unless_a_look_up_moved() -> None:
    """As `plantimestamp` does it."""
    first, second = plan("never_settles.first"), plan("never_settles.second")
    for shown, value in ((first, "10:00"), (second, "10:05")):
        shown["resource_changes"][0]["change"]["after"]["value"] = value
        shown["resource_changes"][0]["change"]["after_unknown"].pop("value")
        resource = shown["configuration"]["root_module"]["resources"][0]
        resource["expressions"]["value"] = {"references": ["local.now"]}
    assert [found.kind for found in unsettled(first, second)] == ["refused"]
    looked_up = {"address": "data.aws_ami.x", "mode": "data", "type": "aws_ami", "values": {"id": "ami-2"}}
    second["prior_state"] = {"values": {"root_module": {"resources": [looked_up]}}}
    assert [found.kind for found in unsettled(first, second)] == ["unsupported"]


def test_a_resource_that_is_gone_is_the_emulators() -> None:
    first = plan("never_settles.first")
    found = unsettled(first, first)
    assert [(f.address, f.kind) for f in found] == [("aws_ssm_parameter.deployed", "unsupported")]


def test_a_resource_in_a_module_is_found_in_its_configuration() -> None:
    first, second = plan("never_settles.first"), plan("never_settles.second")
    for shown in (first, second):
        shown["resource_changes"][0]["address"] = 'module.a["x.y"].module.b[0].aws_ssm_parameter.deployed[2]'
        inner = {"module_calls": {"b": {"module": shown["configuration"]["root_module"]}}}
        shown["configuration"] = {"root_module": {"module_calls": {"a": {"module": inner}}}}
    assert [(f.attribute, f.kind) for f in unsettled(first, second)] == [("value", "refused")]


def test_twins_are_resources_of_one_type_and_name() -> None:
    first = plan("two_groups_of_one_name.first")
    assert twins(first) == {"aws_security_group.front", "aws_security_group.back"}
    assert twins(plan("security_group_chain.first")) == frozenset()


def test_twins_of_other_regions_or_types_are_none() -> None:
    first = plan("two_groups_of_one_name.first")
    first["configuration"]["root_module"]["resources"][0]["provider_config_key"] = "aws.replica"
    assert twins(first) == frozenset()
    first = plan("two_groups_of_one_name.first")
    first["resource_changes"][0]["type"] = "aws_launch_template"
    assert twins(first) == frozenset()


@pytest.mark.parametrize(
    "text", ["A" * 200_000, "A." * 100_000, "A: " * 50_000 + " " * 50_000, ("A: x\n " * 30_000)]
)
def test_a_text_of_any_length_is_judged_without_going_back_and_forth(text: str) -> None:
    """A program's own message may be this; the test would hang (pytest has a time limit of its own)."""
    assert judge(text, text, "aws_sqs_queue.q", step="apply", guessed=False).kind == "unsupported"
