"""What the CLI, pulumi-aws and AWS say, as our errors. The texts are theirs, from issues and sources."""
# ruff: noqa: E501 - their texts are long

import getpass
import os
import socket
import subprocess

import pytest

from toolkit.deploy.pulumi_errors import RULES, gist, redact, stale_lock, translate
from toolkit.errors import DeployFailed, ToolMissing, UsageError

LOCKED = (
    "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or"
    " delete the lock file with `pulumi cancel`.\n  file:///home/u/state/.pulumi/locks/organization/tfkit/dev/"
    "bf4d21ea-53b0-42c4-b03d-a6c88daad481.json: created by {user}@{host} (pid {pid}) at 2026-09-23T13:21:31Z"
)

TEXTS = [
    (LOCKED.format(user="u", host="elsewhere", pid=42), DeployFailed, "u@elsewhere, process 42", "wait"),
    (
        "error: [409] Conflict: Another update is currently in progress.\nTo learn more …",
        DeployFailed,
        "another update is working on this stack",
        "pulumi cancel",
    ),
    (
        "error: no resource plugin 'pulumi-resource-aws' found in the workspace at version v7.51.1 or on your"
        " $PATH, install the plugin using `pulumi plugin install resource aws v7.51.1`",
        ToolMissing,
        "AWS provider is not installed",
        "pulumi plugin install resource aws",
    ),
    (
        "error: [resource plugin aws-7.51.1] downloading from : failed to download plugin: aws-7.51.1: 403 HTTP"
        " error fetching plugin",
        ToolMissing,
        "could not be fetched",
        "go online",
    ),
    (
        "validating provider credentials: retrieving caller identity from STS: operation error STS:"
        " GetCallerIdentity, https response error StatusCode: 403, RequestID: faa6, api error ExpiredToken: The"
        " security token included in the request is expired",
        DeployFailed,
        "the AWS credentials have expired",
        "goes on from here",
    ),
    (
        "error: post-step event returned an error: failed to save snapshot: An IO error occurred while writing the"
        ' new snapshot file: blob (key ".pulumi/stacks/tfkit/dev.json") (code=Unknown): ExpiredToken: The provided'
        " token has expired.",
        DeployFailed,
        "the AWS credentials have expired",
        "log in again",
    ),
    (
        "failed to refresh cached credentials, refresh cached SSO token failed, unable to refresh SSO token,"
        " operation error SSO OIDC: CreateToken, https response error StatusCode: 400, InvalidGrantException:",
        DeployFailed,
        "have expired",
        "aws sso login",
    ),
    (
        "error: pulumi:providers:aws resource 'default_7_51_1' has a problem: No valid credential sources found."
        " Please see the documentation for more information about providing credentials.",
        DeployFailed,
        "there are no AWS credentials",
        "--profile",
    ),
    (
        "Error: NoCredentialProviders: no valid providers in chain. Deprecated.",
        DeployFailed,
        "there are no AWS credentials",
        "aws configure",
    ),
    (
        "error: pulumi:providers:aws resource 'default_7_51_1' has a problem: Invalid credentials configured.",
        DeployFailed,
        "does not accept",
        "get-caller-identity",
    ),
    (
        "error: pulumi:providers:aws resource 'default_7_51_1' has a problem: missing region information",
        UsageError,
        "region",
        "--region",
    ),
    (
        'error: read ".pulumi/meta.yaml": blob (key ".pulumi/meta.yaml") (code=Unknown): AccessDenied: Access'
        " Denied\n        status code: 403",
        DeployFailed,
        'read ".pulumi/meta.yaml"',
        "place of the state",
    ),
    (
        "error: getting secrets manager: passphrase must be set with PULUMI_CONFIG_PASSPHRASE or"
        " PULUMI_CONFIG_PASSPHRASE_FILE environment variables",
        DeployFailed,
        "another passphrase",
        "passphrase",
    ),
    (
        "error: decrypting secret value: failed to decrypt: incorrect passphrase, please set"
        " PULUMI_CONFIG_PASSPHRASE to the correct passphrase",
        DeployFailed,
        "another passphrase",
        "file `passphrase`",
    ),
    ("error: unknown flag: --client", ToolMissing, "does not fit", "tfkit doctor"),
    (
        'error: resource "urn:pulumi:dev::tfkit::aws:s3/bucket:Bucket::audit" cannot be deleted because it is'
        " protected.",
        DeployFailed,
        "protected",
        "take the protection off",
    ),
    (
        "creating S3 Bucket (runs): operation error S3: CreateBucket, api error BucketAlreadyOwnedByYou: Your"
        " previous request to create the named bucket succeeded and you already own it.",
        DeployFailed,
        "BucketAlreadyOwnedByYou",
        "pulumi import",
    ),
    (
        "creating IAM Role (x): operation error IAM: CreateRole, api error AccessDenied: User: arn:aws:iam::1:user/u"
        " is not authorized to perform: iam:CreateRole on resource: arn:aws:iam::1:role/x",
        DeployFailed,
        "iam:CreateRole",
        "administrator",
    ),
    (
        "creating Bedrock Inference Profile: ValidationException: The provided model identifier is invalid.",
        DeployFailed,
        "model identifier is invalid",
        "tfkit models check",
    ),
    ("dial tcp: lookup sts.amazonaws.com: no such host", DeployFailed, "no such host", "network"),
    ("error: something new", DeployFailed, "something new", "goes on from here"),
]


@pytest.mark.parametrize(("said", "kind", "message", "hint"), TEXTS)
def test_each_text_has_its_error_and_the_next_step(said, kind, message, hint):
    for error in (translate(f"\n code: 255\n stdout: \n stderr: {said}"), translate("", [], [said])):
        assert type(error) is kind
        assert message in error.message
        assert hint in error.hint


def test_every_rule_is_tried():
    import re

    untried = [rule.hint for rule in RULES if not any(re.search(rule.pattern, text) for text, *_ in TEXTS)]
    assert all("quota" in hint or "enable the region" in hint for hint in untried), untried


def test_the_failed_resource_is_named_first():
    error = translate("error: update failed", ["create of runs (t) failed: LimitExceeded: no more"], ["else"])
    assert error.message == "create of runs (t) failed: LimitExceeded: no more"
    assert "quota" in error.hint


def test_a_failure_of_the_program_is_one_line():
    said = "\n code: 255\n stdout: Updating\npython inline source runtime error: no such thing\nTraceback\n stderr: "
    assert gist(said) == "python inline source runtime error: no such thing"


def test_nothing_secret_is_said(monkeypatch):
    session = "IQoJb3JpZ2luX2VjE" + "a" * 60
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCY")
    text = (
        f"error: key AKIA{'A' * 16} wJalrXUtnFEMI/K7MDENG/bPxRfiCY {session} pul-{'0' * 40} my-own-passphrase"
        " s3://user:pass@host/x"
    )
    hidden = redact(text, ["my-own-passphrase"])
    assert hidden == "error: key [secret] [secret] [secret] [secret] [secret] s3://[secret]@host/x"
    assert "wJalr" not in translate(text).message


def test_a_lock_of_a_dead_process_of_ours_is_stale_and_no_other():
    gone = subprocess.Popen(["/bin/true"])
    gone.wait()
    me, here = getpass.getuser(), socket.gethostname()
    assert stale_lock(LOCKED.format(user=me, host=here, pid=gone.pid))
    assert not stale_lock(LOCKED.format(user=me, host=here, pid=os.getpid()))
    assert not stale_lock(LOCKED.format(user=me, host="elsewhere", pid=gone.pid))
    assert not stale_lock(LOCKED.format(user="other", host=here, pid=gone.pid))
    assert not stale_lock(LOCKED.format(user=me, host=here, pid=gone.pid).replace("by 1 lock", "by 2 lock"))
    assert not stale_lock("[409] Conflict: Another update is currently in progress.")
