"""A real emulator for these tests, started once, and a platform's record of its own for each."""

from collections.abc import Iterator

import pytest
from audit_world import World, make_world

from toolkit.cloud import Cloud
from toolkit.emulator import Emulator


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    emulator = Emulator(tmp_path_factory.mktemp("emulator"))
    emulator.start()
    here = {"endpoint": emulator.endpoint, "key": emulator.key, "secret": emulator.secret}
    yield Cloud("local", "us-east-1", "000000000000", **here)
    emulator.stop()


@pytest.fixture(scope="session")
def key_arn(cloud: Cloud) -> str:
    made = cloud.client("kms").create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")
    return str(made["KeyMetadata"]["Arn"])


@pytest.fixture
def world(cloud: Cloud, key_arn: str) -> World:
    return make_world(cloud, key_arn)
