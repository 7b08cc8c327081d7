"""Where a run's files may go: also an empty folder that cannot be replaced; what cannot be is said early."""

import errno
import io
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from toolkit.client import Client, refuse_used
from toolkit.contracts import FileEntry, RunResult, StackOutputs
from toolkit.errors import TfkitError, UsageError

FILES = {"main.tf": b"a", "modules/x/main.tf": b"b"}
RESULT = RunResult(
    run_id="0123456789abcdef",
    status="ok",
    model="m",
    prompt="p",
    output="o",
    files=[FileEntry(path=p, sha256=sha256(c).hexdigest(), bytes=len(c)) for p, c in FILES.items()],
)
OUTPUTS = StackOutputs(
    **{name: {} if name == "profiles" else name for name in StackOutputs.__struct_fields__}
)


def client() -> Client:
    def get_object(**place: str) -> dict[str, Any]:
        return {"Body": io.BytesIO(FILES[place["Key"].split("/workspace/")[1]])}

    s3 = SimpleNamespace(get_object=get_object, exceptions=SimpleNamespace(NoSuchKey=KeyError))
    return Client(cast("Any", SimpleNamespace(client=lambda _service: s3)), OUTPUTS)


def found(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_working_folder_is_filled_and_stays_the_same_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "here"
    place.mkdir()
    before = place.stat().st_ino
    monkeypatch.chdir(place)
    client().download(RESULT, Path())
    assert found(place) == FILES and place.stat().st_ino == before
    assert list(tmp_path.iterdir()) == [place]
    assert sorted(p.name for p in place.iterdir()) == ["main.tf", "modules"]


def test_a_link_to_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    client().download(RESULT, tmp_path / "link")
    assert found(tmp_path / "real") == FILES


def test_a_place_below_a_file_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"cannot be made in .*file"):
        refuse_used(tmp_path / "file" / "out")


def test_a_full_disk_says_where_the_files_still_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_path: Path, _content: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(TfkitError, match="No space left") as caught:
        client().download(RESULT, tmp_path / "out")
    assert f"tfkit runs files {RESULT.run_id}" in caught.value.hint
    assert list(tmp_path.iterdir()) == []
