"""Diff and the previews: what an engine asks before it changes anything."""

from typing import Any

import pytest
from provider_world import REGION, TAGS, archive, trust
from pulumi.runtime.proto import provider_pb2

from toolkit.local.provider import EmulatorProvider
from toolkit.local.provider.compare import in_words_of
from toolkit.local.provider.kinds import KINDS
from toolkit.local.provider.wire import SECRET, SIGNATURE, UNKNOWN, from_struct, to_struct

BUCKET = "aws:s3/bucket:Bucket"
SOME = provider_pb2.DiffResponse.DIFF_SOME
NONE = provider_pb2.DiffResponse.DIFF_NONE


def diff(token: str, news: dict[str, Any], old: dict[str, Any], **more: Any) -> Any:
    """Diff needs no emulator: nothing listens at this address."""
    request = provider_pb2.DiffRequest(
        urn=f"urn:pulumi:dev::tfkit::{token}::it", news=to_struct(news), old_inputs=to_struct(old), **more
    )
    return EmulatorProvider("http://127.0.0.1:1", REGION).Diff(request, None)


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_what_replaces_deletes_first(kind: Any) -> None:
    for name in kind.table.properties:
        answer = diff(kind.type_name, {name: "new"}, {name: "old"})
        assert answer.changes == SOME
        assert list(answer.diffs) == [name]
        assert (list(answer.replaces) == [name]) == (name in kind.table.replacing)
        assert answer.deleteBeforeReplace == (name in kind.table.replacing)


def test_names_replace_in_every_type_that_has_one() -> None:
    for token, kind in KINDS.items():
        for name in ("name", "bucket", "functionName", "dashboardName", "repository", "role"):
            if name in kind.table.properties and token != "aws:lambda/function:Function":
                assert name in kind.table.replacing, (token, name)


def test_equal_inputs_do_not_differ_and_a_property_that_goes_does() -> None:
    assert diff(BUCKET, {"bucket": "b", "tags": TAGS}, {"bucket": "b", "tags": TAGS}).changes == NONE
    assert list(diff(BUCKET, {"bucket": "b"}, {"bucket": "b", "tags": TAGS}).diffs) == ["tags"]


def test_outputs_do_not_count_where_an_engine_sends_only_them() -> None:
    outputs = to_struct({"bucket": "b", "arn": "arn:aws:s3:::b", "tagsAll": {}})
    assert diff(BUCKET, {"bucket": "b"}, {}, olds=outputs).changes == NONE


def test_an_unknown_differs_from_what_was_known() -> None:
    answer = diff(BUCKET, {"bucket": UNKNOWN}, {"bucket": "b"})
    assert (list(answer.diffs), list(answer.replaces)) == (["bucket"], ["bucket"])


def test_a_secret_is_compared_by_its_value() -> None:
    secret = {SIGNATURE: SECRET, "value": "b"}
    assert diff(BUCKET, {"bucket": secret}, {"bucket": "b"}).changes == NONE
    assert diff(BUCKET, {"bucket": secret}, {"bucket": "c"}).changes == SOME


def test_archives_are_compared_by_content_and_not_by_hash() -> None:
    token = "aws:lambda/function:Function"
    one, other = archive("return 1"), archive("return 1")
    other["hash"] = "other"
    other["assets"]["index.py"]["hash"] = "other"
    assert diff(token, {"code": one}, {"code": other}).changes == NONE
    assert list(diff(token, {"code": one}, {"code": archive("return 2")}).diffs) == ["code"]


def test_ignored_changes_do_not_count() -> None:
    assert diff(BUCKET, {"tags": {}}, {"tags": TAGS}, ignoreChanges=["tags"]).changes == NONE


def test_a_preview_of_a_creation_makes_nothing_and_leaves_outputs_unknown(engine: Any, clients: Any) -> None:
    inputs = {"bucket": "tfkit-preview-only", "tags": TAGS}
    id_, state = engine.create(BUCKET, inputs, preview=True)
    assert id_ == ""
    assert state == {**inputs, **dict.fromkeys(KINDS[BUCKET].outputs, UNKNOWN)}
    names = [bucket["Name"] for bucket in clients.of("s3").list_buckets()["Buckets"]]
    assert "tfkit-preview-only" not in names


def test_a_preview_of_an_update_changes_nothing(world: Any) -> None:
    token = "aws:iam/role:Role"
    inputs = {"name": world.name("r"), "assumeRolePolicy": trust("lambda.amazonaws.com"), "tags": TAGS}
    id_, state = world.engine.create(token, inputs)
    news = {**inputs, "description": UNKNOWN}
    request = provider_pb2.UpdateRequest(
        urn=world.engine.urn(token, "it"), id=id_, olds=to_struct(state), news=to_struct(news), preview=True
    )
    predicted = from_struct(world.engine.provider.Update(request, None).properties)
    assert predicted == {**state, "description": UNKNOWN}
    assert world.engine.read(token, id_, state, inputs)[1] == state


def test_what_is_live_is_said_as_it_was_asked() -> None:
    assert in_words_of('{"a": [1]}', '{"a":[1]}') == '{"a": [1]}'
    assert in_words_of('{"a": [1]}', '{"a":[2]}') == '{"a":[2]}'
    assert in_words_of(["b", "a"], ["a", "b"]) == ["b", "a"]
    assert in_words_of({"x": {"a": 1}}, {"x": {"a": 1, "default": 2}}) == {"x": {"a": 1}}
    assert in_words_of({"x": {"a": 1, "lost": 1}}, {"x": {"a": 1}}) == {"x": {"a": 1}}
    assert in_words_of({"a": "1"}, {"a": "1", "b": "2"}, "tags") == {"a": "1", "b": "2"}
