"""The images that everybody looks up, as MiniStack's own module of EC2 answers for them."""

import importlib.util
from types import ModuleType

import pytest

from toolkit.public_images import NAMES, make_known


@pytest.fixture
def ec2() -> ModuleType:
    """A copy of the module, which the tests may change."""
    spec = importlib.util.find_spec("ministack.services.ec2")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def found(ec2: ModuleType, name: str, **more: str) -> list[str]:
    """The names of the images that a look-up of Amazon's (and its partners') comes to."""
    query = {"Owner.1": ["amazon"], "Filter.1.Name": ["name"], "Filter.1.Value.1": [name]}
    for number, (key, value) in enumerate(more.items(), 2):
        query |= {f"Filter.{number}.Name": [key], f"Filter.{number}.Value.1": [value]}
    _, _, body = ec2._describe_images(query)
    text = body.decode() if isinstance(body, bytes) else body
    return [part.split("</name>")[0] for part in text.split("<name>")[1:]]


@pytest.mark.parametrize(
    "name",
    [
        "*ubuntu-noble-24.04-amd64-server-*", "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-*",
        "amzn2-ami-hvm-*-x86_64-gp2", "al2023-ami-2023.*-kernel-6.1-x86_64", "debian-12-amd64-*", "RHEL-9*",
        "Windows_Server-2022-English-Full-Base-*", "amazon-eks-node-1.31-v*",
        "amzn2-ami-ecs-hvm-*-x86_64-ebs",
    ],
)  # fmt: skip
def test_what_is_looked_up_every_day_is_found(ec2: ModuleType, name: str) -> None:
    make_known(ec2)
    assert found(ec2, name)


def test_an_architecture_is_that_of_the_name(ec2: ModuleType) -> None:
    make_known(ec2)
    arm = found(ec2, "al2023-ami-2023*", architecture="arm64")
    assert arm == ["al2023-ami-2023.6.20241010.0-kernel-6.1-arm64"]
    assert not set(arm) & set(found(ec2, "al2023-ami-2023*", architecture="x86_64"))


def test_nothing_is_there_that_has_no_publisher(ec2: ModuleType) -> None:
    make_known(ec2)
    assert found(ec2, "nobody-*") == []
    assert len({name for _, name in NAMES}) == len(NAMES)
    assert len({stub[0] for stub in ec2._STUB_AMIS}) == len(ec2._STUB_AMIS)
