"""Archives as Pulumi's own engine sends them where a provider only looks: the hash, and no contents."""

from typing import Any

import pytest
from provider_world import REGION, World, archive
from pulumi.runtime.proto import provider_pb2

from toolkit.local.provider import EmulatorProvider
from toolkit.local.provider.elided import elided
from toolkit.local.provider.wire import ARCHIVE, SIGNATURE, Props, to_struct

FUNCTION = "aws:lambda/function:Function"
SOURCE = "def handler(event, context): return 1"


def without_contents(hash_: str) -> Props:
    return {SIGNATURE: ARCHIVE, "hash": hash_}


def differing(news: Props, olds: Props) -> list[str]:
    request = provider_pb2.DiffRequest(
        urn=f"urn:pulumi:dev::tfkit::{FUNCTION}::it",
        news=to_struct({"name": "f", **news}),
        old_inputs=to_struct({"name": "f", **olds}),
    )
    return list(EmulatorProvider("http://127.0.0.1:1", REGION).Diff(request, None).diffs)


def hashed(hash_: str) -> Props:
    return {**archive(SOURCE), "hash": hash_}


@pytest.mark.parametrize("news", [without_contents("a"), hashed("a")], ids=["neither", "new only"])
def test_new_code_shows_by_its_hash(news: Props) -> None:
    assert differing({"code": news}, {"code": without_contents("a")}) == []
    assert differing({"code": news}, {"code": without_contents("b")}) == ["code"]


def test_code_that_comes_or_goes_shows() -> None:
    assert differing({"code": without_contents("a")}, {}) == ["code"]
    assert differing({}, {"code": without_contents("a")}) == ["code"]
    assert differing({"code": without_contents("a")}, {"code": {}}) == ["code"]


def test_a_function_is_read_and_its_code_handed_back_as_it_came(world: World) -> None:
    id_ = world.function()
    asked: dict[str, Any] = {"name": id_, "packageType": "Zip", "code": without_contents("a"), "timeout": 3}
    assert elided(asked["code"])
    found, state, inputs = world.engine.read(FUNCTION, id_, asked, asked)
    assert found == id_
    assert inputs["code"] == state["code"] == asked["code"]
    assert differing(inputs, asked) == []


def test_what_the_engine_keeps_for_itself_is_no_setting_of_the_provider() -> None:
    provider = EmulatorProvider("http://127.0.0.1:1", REGION)
    given = to_struct({"region": REGION, "version": "7.51.1", "__internal": {"pluginDownloadURL": "x"}})
    assert not provider.CheckConfig(provider_pb2.CheckRequest(news=given)).failures
    assert provider.Configure(provider_pb2.ConfigureRequest(args=given)).supportsPreview
