"""A real emulator with the buckets and the delivery stream of a platform, started once for these tests."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from toolkit.cloud import Cloud
from toolkit.emulator import Emulator
from toolkit.telemetry.sink import FirehoseSink

PREFIX = "year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/"


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    emulator = Emulator(tmp_path_factory.mktemp("emulator"))
    emulator.start()
    here = {"endpoint": emulator.endpoint, "key": emulator.key, "secret": emulator.secret}
    yield Cloud("local", "us-east-1", "000000000000", **here)
    emulator.stop()


@dataclass
class Platform:
    """Buckets and a stream of their own for one test."""

    cloud: Cloud
    audit: str
    runs: str
    stream: str
    index: Path

    def sink(self, stream: str = "") -> FirehoseSink:
        return FirehoseSink(
            self.cloud.client("firehose"),
            stream or self.stream,
            self.cloud.client("s3"),
            self.audit,
            self.runs,
            sleep=lambda _: None,
        )

    def put(self, bucket: str, key: str, body: bytes) -> None:
        self.cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=body)

    def keys(self, bucket: str, prefix: str = "") -> list[str]:
        found = self.cloud.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)
        return [item["Key"] for item in found.get("Contents", [])]


@pytest.fixture
def platform(cloud: Cloud, tmp_path: Path, request: pytest.FixtureRequest) -> Platform:
    number = abs(hash(request.node.nodeid)) % 10**10
    found = Platform(
        cloud, f"audit-{number}", f"runs-{number}", f"stream-{number}", tmp_path / "index" / "traces.sqlite"
    )
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=found.audit, ObjectLockEnabledForBucket=True)
    s3.create_bucket(Bucket=found.runs)
    cloud.client("firehose").create_delivery_stream(
        DeliveryStreamName=found.stream,
        ExtendedS3DestinationConfiguration={
            "RoleARN": "arn:aws:iam::000000000000:role/firehose",
            "BucketARN": f"arn:aws:s3:::{found.audit}",
            "Prefix": PREFIX,
            "ErrorOutputPrefix": "errors/!{firehose:error-output-type}/",
            "CompressionFormat": "GZIP",
        },
    )
    return found
