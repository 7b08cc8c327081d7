"""What another region means to the provider's own settings: everything in the old one is replaced."""

import pytest
from pulumi.runtime.proto import provider_pb2

from toolkit.local.provider import EmulatorProvider
from toolkit.local.provider.wire import to_struct

Diff = provider_pb2.DiffResponse


def compared(old: dict[str, str], new: dict[str, str], *, outputs_only: bool = False) -> Diff:
    inputs = {"olds": to_struct(old)} if outputs_only else {"old_inputs": to_struct(old)}
    request = provider_pb2.DiffRequest(urn="urn:pulumi:dev::tfkit::pulumi:providers:aws::d", **inputs)
    request.news.CopyFrom(to_struct(new))
    return EmulatorProvider("http://127.0.0.1:9", "us-east-1").DiffConfig(request)


@pytest.mark.parametrize("outputs_only", [False, True])
def test_another_region_replaces_the_provider_and_makes_the_new_one_first(outputs_only: bool) -> None:
    answer = compared({"region": "us-east-1"}, {"region": "eu-west-1"}, outputs_only=outputs_only)
    assert list(answer.replaces) == ["region"]
    assert answer.changes == Diff.DIFF_SOME
    assert not answer.deleteBeforeReplace


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"region": "us-east-1"}, {"region": "us-east-1"}),
        ({}, {"region": "eu-west-1"}),  # states of old versions of Pulumi name none (pulumi-aws issue 3826)
        ({"region": "us-east-1"}, {}),
        ({"region": "us-east-1", "version": "7.0.0"}, {"region": "us-east-1", "version": "7.51.1"}),
    ],
)
def test_nothing_else_replaces_it(old: dict[str, str], new: dict[str, str]) -> None:
    assert list(compared(old, new).replaces) == []
