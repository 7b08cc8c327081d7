"""Functions: the archive that is their code, and that what is made really runs."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from provider_world import TAGS, World, archive

from toolkit.local.provider import ProviderError
from toolkit.local.provider.services.lambda_code import sha256, zipped
from toolkit.local.provider.wire import ARCHIVE, ASSET, SIGNATURE

FUNCTION = "aws:lambda/function:Function"


def test_equal_archives_are_equal_bytes_whatever_the_order() -> None:
    assets = {name: {SIGNATURE: ASSET, "text": name} for name in ("b.py", "a.py")}
    one = {SIGNATURE: ARCHIVE, "assets": assets}
    other = {SIGNATURE: ARCHIVE, "assets": dict(reversed(assets.items())), "hash": "x"}
    assert zipped(one) == zipped(other)
    with zipfile.ZipFile(io.BytesIO(zipped(one))) as found:
        assert found.namelist() == ["a.py", "b.py"]
        assert {entry.date_time for entry in found.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_archives_nest_and_hold_files(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"\x00\xff")
    inner = {SIGNATURE: ARCHIVE, "assets": {"f": {SIGNATURE: ASSET, "path": str(tmp_path / "file")}}}
    with zipfile.ZipFile(io.BytesIO(zipped({SIGNATURE: ARCHIVE, "assets": {"lib": inner}}))) as found:
        assert found.read("lib/f") == b"\x00\xff"
    (tmp_path / "ready.zip").write_bytes(b"ready")
    assert zipped({SIGNATURE: ARCHIVE, "path": str(tmp_path / "ready.zip")}) == b"ready"


@pytest.mark.parametrize(
    "archive_",
    [
        {},
        {SIGNATURE: ARCHIVE},
        {SIGNATURE: ARCHIVE, "assets": {}},
        {SIGNATURE: ARCHIVE, "uri": "https://example.com/x.zip"},
        {SIGNATURE: ARCHIVE, "assets": {"a": {SIGNATURE: ASSET, "uri": "https://example.com/x"}}},
        {SIGNATURE: ARCHIVE, "assets": {"a": {SIGNATURE: ASSET, "path": "no/such/file"}}},
    ],
)
def test_other_forms_are_refused(archive_: dict[str, Any]) -> None:
    with pytest.raises(ProviderError):
        zipped(archive_)


def test_a_function_runs_and_new_code_takes_its_place(world: World, clients: Any) -> None:
    def answer() -> Any:
        return json.loads(clients.of("lambda").invoke(FunctionName=id_)["Payload"].read())

    inputs = {
        "name": world.name("f"),
        "role": world.role()["arn"],
        "packageType": "Zip",
        "handler": "index.handler",
        "runtime": "python3.11",
        "code": archive("import os\ndef handler(event, context): return os.environ['WORD']"),
        "environment": {"variables": {"WORD": "first"}},
        "timeout": 30,
        "tags": TAGS,
    }
    id_, state = world.engine.create(FUNCTION, inputs)
    assert answer() == "first"
    news = {**inputs, "code": archive("def handler(event, context): return 'second'")}
    world.engine.update(FUNCTION, id_, state, inputs, news)
    assert answer() == "second"


def test_code_that_somebody_else_put_there_shows_as_a_difference(world: World, clients: Any) -> None:
    id_ = world.function()
    asked = {"name": id_, "packageType": "Zip", "code": archive("def handler(event, context): return 1")}
    assert world.engine.read(FUNCTION, id_, asked, asked)[2]["code"] == asked["code"]
    other = zipped(archive("def handler(event, context): return 3"))
    made = clients.of("lambda").update_function_code(FunctionName=id_, ZipFile=other)
    assert made["CodeSha256"] == sha256(other)
    seen = world.engine.read(FUNCTION, id_, asked, asked)[2]
    assert list(world.engine.diff(FUNCTION, asked, seen).diffs) == ["code"]
