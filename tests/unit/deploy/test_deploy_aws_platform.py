"""The aws target end to end, with an emulator for the account and the embedded engine in Pulumi's place.

Everything of the target is its own but the engine: whoever has Pulumi's command line sees the same target
with the real one in `test_e2e_pulumi_engine.py`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aws_fakes import ACCOUNT, account, emulated  # noqa: F401 - fixtures

from toolkit.cloud import Cloud
from toolkit.deploy.aws_target import AwsTarget
from toolkit.deploy.embedded import EmbeddedEngine
from toolkit.deploy.image_codebuild import CodeBuild
from toolkit.deploy.plan import PROJECT
from toolkit.deploy.platform import Platform, quiet
from toolkit.emulator import Emulator
from toolkit.errors import NothingDeployed, UsageError
from toolkit.local.provider import EmulatorProvider
from toolkit.settings import load

BUCKET = f"tfkit-dev-audit-{ACCOUNT}-us-east-1"


@pytest.fixture
def home(
    account: Emulator,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[Path]:
    def engine(self: AwsTarget, cloud: Cloud) -> EmbeddedEngine:
        inputs = {"region": cloud.region}
        provider = EmulatorProvider(account.endpoint, cloud.region, account.key, account.secret)
        return EmbeddedEngine(self.folder, PROJECT, self.settings.stack, provider, inputs)

    def build(self: CodeBuild, _context: object, uri: str) -> None:
        """What a build leaves behind: the tag in the repository."""
        repository, _, tag = uri.partition("/")[2].rpartition(":")
        Cloud(target="aws", region="us-east-1", account=ACCOUNT).client("ecr").put_image(
            repositoryName=repository, imageTag=tag, imageManifest='{"schemaVersion": 2}'
        )

    monkeypatch.setattr(AwsTarget, "engine", engine)
    monkeypatch.setattr(
        AwsTarget, "exists", property(lambda self: bool(engine(self, self.cloud).resources()))
    )
    monkeypatch.setattr(AwsTarget, "_command", "stands in")
    monkeypatch.setattr("toolkit.deploy.image.has_docker", lambda _docker: False)
    monkeypatch.setattr(CodeBuild, "build", build)
    yield tmp_path
    platform = opened(tmp_path)
    if platform.exists:
        unlock(platform)
        down(platform)


def opened(home: Path, moving: bool = False, **flags: Any) -> Platform:
    flags = {"target": "aws", "image_allow_tags": True, "image_pins": str(pins(home)), **flags}
    keys = flags.pop("provider_keys", {})
    settings = load(flags, {"TFKIT_HOME": str(home)}, home)
    return Platform(msgspec.structs.replace(settings, provider_keys=keys), moving=moving)


def down(platform: Platform, **how: bool) -> Any:
    done = platform.destroy(quiet, **how)
    platform.close()
    return done


def vars_of(changes: Any) -> list[int]:
    return [getattr(changes, name) for name in changes.__struct_fields__]


def pins(home: Path) -> Path:
    """Pins with nothing open, as somebody has them who has built the image."""
    from toolkit.deploy.image_pins import PINS

    path = home / "pins.toml"
    path.write_text(
        PINS.read_text()
        .replace('arm64 = ""', f'arm64 = "{"0" * 64}"')
        .replace('amd64 = ""', f'amd64 = "{"0" * 64}"')
    )
    return path


def unlock(platform: Platform) -> None:
    """What only time does in a real account: the retention of every record runs out."""
    s3 = platform.cloud.client("s3")
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=BUCKET):
        for version in page.get("Versions", []):
            s3.delete_object(
                Bucket=BUCKET,
                Key=version["Key"],
                VersionId=version["VersionId"],
                BypassGovernanceRetention=True,
            )


def test_up_publishes_its_outputs_and_down_leaves_nothing(home: Path) -> None:
    platform = opened(home)
    assert not platform.exists
    with pytest.raises(NothingDeployed):
        platform.outputs()
    planned = platform.preview(quiet)
    assert planned.changes.create > 50
    assert not platform.exists
    heard: list[str] = []
    made = platform.up(quiet, heard.append)
    assert made.changes.create == planned.changes.create
    assert any("CodeBuild" in line for line in heard)
    outputs = opened(home).outputs()
    assert outputs.checker_function and outputs.build_project
    assert outputs.audit_bucket == BUCKET
    again = opened(home).up(quiet)
    assert again.changes.same == made.changes.create
    assert opened(home).drift() == []

    cloud = platform.cloud
    cloud.client("sqs").create_queue(QueueName="made-by-hand")
    cloud.client("s3").put_object(Bucket=outputs.runs_bucket, Key="runs/x/result.json", Body=b"{}")
    _, receipt = down(opened(home))
    assert receipt.kept == []
    scheduled = {later.urn.rsplit("::", 1)[-1] for later in receipt.scheduled}
    assert scheduled == {"key", "digest-key", "statement-key"}
    assert len(receipt.deleted) == made.changes.create - 3
    assert not opened(home).exists
    assert any("made-by-hand" in url for url in cloud.client("sqs").list_queues()["QueueUrls"])


def test_records_under_lock_stay_and_the_next_up_goes_on_with_them(home: Path) -> None:
    platform = opened(home)
    made = platform.up(quiet)
    s3 = platform.cloud.client("s3")
    s3.put_object(Bucket=BUCKET, Key="runs/year=2026/record", Body=b"evidence")

    planned, would = opened(home).plan_down(quiet)
    assert {kept.urn.rsplit("::", 1)[-1] for kept in would.kept} >= {"audit-bucket", "key", "key-alias"}
    _, receipt = down(opened(home))
    assert {kept.urn for kept in receipt.kept} == {kept.urn for kept in would.kept}
    assert planned.changes.delete == len(receipt.deleted)
    bucket = next(kept for kept in receipt.kept if kept.urn.endswith("audit-bucket"))
    assert "Object Lock" in bucket.reason
    assert bucket.until > "2026"
    assert not any(later.urn.endswith("::key") for later in receipt.scheduled)
    assert s3.get_object(Bucket=BUCKET, Key="runs/year=2026/record")["Body"].read() == b"evidence"
    with pytest.raises(NothingDeployed):
        opened(home).outputs()

    back = opened(home).up(quiet)
    assert back.changes.same == len(receipt.kept)
    assert back.changes.create == made.changes.create - len(receipt.kept)
    assert s3.get_object(Bucket=BUCKET, Key="runs/year=2026/record")["Body"].read() == b"evidence"

    unlock(platform)
    _, last = down(opened(home))
    assert last.kept == []


@pytest.mark.thorough
def test_keep_data_keeps_both_buckets_and_their_key(home: Path) -> None:
    platform = opened(home)
    platform.up(quiet)
    _, receipt = down(opened(home), keep_data=True)
    names = {kept.urn.rsplit("::", 1)[-1] for kept in receipt.kept}
    assert {"audit-bucket", "runs-bucket", "runs-encryption", "audit-lock", "key", "key-alias"} <= names
    assert all(kept.reason for kept in receipt.kept)
    _, last = down(opened(home))
    assert last.kept == []


@pytest.mark.thorough
def test_the_place_of_the_state_is_made_and_goes_with_the_last_stack(home: Path) -> None:
    platform = opened(home)
    s3 = platform.cloud.client("s3")
    platform.preview(quiet)
    assert not [b for b in s3.list_buckets()["Buckets"] if b["Name"].startswith("tfkit-state")]
    platform.up(quiet)
    assert [b for b in s3.list_buckets()["Buckets"] if b["Name"].startswith("tfkit-state")]
    down(platform)
    assert not [b for b in s3.list_buckets()["Buckets"] if b["Name"].startswith("tfkit-state")]


@pytest.mark.thorough
def test_a_provider_key_is_kept_read_back_and_taken_away(home: Path) -> None:
    def key(platform: Platform) -> dict[str, str]:
        return platform.target.deployed_keys(platform.cloud)

    opened(home, provider_keys={"mistral": "secret-of-mistral"}).up(quiet)
    assert key(opened(home)) == {"mistral": "secret-of-mistral"}
    again = opened(home).up(quiet)
    assert again.changes.same == sum(vars_of(again.changes))
    files = [path.read_bytes() for path in home.rglob("*") if path.is_file()]
    assert not any(b"secret-of-mistral" in content for content in files)
    opened(home, provider_keys={"mistral": "none"}).up(quiet)
    assert key(opened(home)) == {}


@pytest.mark.thorough
def test_who_may_not_read_a_key_does_not_delete_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import botocore.client
    from botocore.exceptions import ClientError

    opened(home, provider_keys={"mistral": "secret-of-mistral"}).up(quiet)
    real = botocore.client.BaseClient._make_api_call

    def refuse(self: object, operation: str, arguments: dict[str, Any]) -> Any:
        if operation == "GetParameter" and "/secrets/" in arguments["Name"]:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, operation)
        return real(self, operation, arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", refuse)
    with pytest.raises(ClientError, match="AccessDenied"):
        opened(home).up(quiet)
    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", real)
    assert opened(home).up(quiet).changes.delete == 0


def test_the_embedded_engine_is_not_for_a_real_account(home: Path) -> None:
    with pytest.raises(UsageError, match="embedded"):
        opened(home, engine="embedded")
