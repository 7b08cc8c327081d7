"""A run's changes in the folder: all of them or none, and never over what was not sent."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from toolkit.contracts import Tree
from toolkit.errors import TfkitError
from toolkit.start.changes import Change, changes
from toolkit.start.writing import refuse_moved_on, write

BEFORE = {"a.tf": b"a\n", "b.tf": b"b\n", "sub/c.tf": b"c\n", "same.tf": b"same\n"}
AFTER = {"a.tf": b"A\n", "same.tf": b"same\n", "sub/c.tf": b"C\n", "new/deep/d.tf": b"D\n"}
WANTED = changes(Tree(files=BEFORE), Tree(files=AFTER))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "infra"
    for path, content in BEFORE.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    return root


def held(folder: Path) -> dict[str, bytes]:
    """Every file that is there, also hidden ones."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_changed_new_and_deleted_files_are_written_and_the_rest_is_not_touched(folder: Path) -> None:
    same = (folder / "same.tf").stat()
    (folder / "a.tf").chmod(0o640)
    write(folder, WANTED)
    assert held(folder) == AFTER
    assert (folder / "a.tf").stat().st_mode & 0o777 == 0o640
    assert (folder / "same.tf").stat().st_mtime_ns == same.st_mtime_ns
    assert [(change.path, change.kind) for change in WANTED] == [
        ("a.tf", "changed"), ("b.tf", "deleted"), ("new/deep/d.tf", "new"), ("sub/c.tf", "changed")
    ]  # fmt: skip


@pytest.mark.parametrize("path", ["a.tf", "b.tf", "sub/c.tf", "new/deep/d.tf"])
def test_a_file_that_is_not_as_it_was_is_refused_and_nothing_is_written(folder: Path, path: str) -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(b"mine\n")
    before = held(folder)
    with pytest.raises(TfkitError, match=r"nothing was written: .* is not as it was"):
        write(folder, WANTED)
    assert held(folder) == before


@pytest.mark.parametrize("nth", range(1, 5))
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_whatever_fails_in_the_middle_leaves_everything_as_it_was(
    folder: Path, monkeypatch: pytest.MonkeyPatch, nth: int, error: BaseException
) -> None:
    link, calls = os.link, []

    def failing(*arguments: Any) -> None:
        calls.append(arguments)
        if len(calls) == nth:
            raise error
        link(*arguments)

    monkeypatch.setattr(os, "link", failing)
    with pytest.raises(TfkitError if isinstance(error, OSError) else KeyboardInterrupt):
        write(folder, WANTED)
    assert held(folder) == BEFORE
    assert not (folder / "new").exists()


def test_what_is_written_into_the_old_file_in_the_last_moment_is_not_lost(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def late(self: Path, target: Path) -> Path:
        if target.name == "c.tf":
            target.write_bytes(b"an editor saved\n")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", late)
    with pytest.raises(TfkitError, match="changed in this very moment"):
        write(folder, WANTED)
    monkeypatch.undo()
    assert held(folder) == {**BEFORE, "sub/c.tf": b"an editor saved\n"}


def test_no_symbolic_link_is_written_through(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.tf").write_bytes(b"a\n")
    (folder / "new").symlink_to(outside)
    with pytest.raises(TfkitError, match=r"in the way of new/deep/d.tf"):
        write(folder, WANTED)
    (folder / "new").unlink()
    (folder / "a.tf").unlink()
    (folder / "a.tf").symlink_to(outside / "a.tf")
    with pytest.raises(TfkitError, match="not as it was"):
        write(folder, WANTED)
    assert (outside / "a.tf").read_bytes() == b"a\n"
    assert len(list(outside.iterdir())) == 1


@pytest.mark.parametrize("path", ["/etc/x.tf", "../x.tf", "a/../../x.tf", "a\\x.tf", "", ".ssh/config"])
def test_a_path_that_leads_elsewhere_is_refused(folder: Path, path: str) -> None:
    with pytest.raises(TfkitError, match="leads elsewhere"):
        write(folder, [Change(path, None, b"x")])
    assert held(folder) == BEFORE


def test_a_folder_that_moved_on_is_refused_also_where_the_run_touched_nothing(folder: Path) -> None:
    start = Tree(files=BEFORE)
    refuse_moved_on(folder, start, "r")
    (folder / "same.tf").write_bytes(b"other\n")
    (folder / "fresh.tf").write_bytes(b"")
    with pytest.raises(TfkitError, match=r"fresh.tf \(new\), same.tf \(changed\)"):
        refuse_moved_on(folder, start, "r")


def fails_at(monkeypatch: pytest.MonkeyPatch, nth: int, meanwhile: Callable[[], object]) -> None:
    """The nth file cannot be put in its place, and something happens in that moment."""
    link, calls = os.link, []

    def failing(*arguments: Any) -> None:
        calls.append(arguments)
        if len(calls) == nth:
            meanwhile()
            raise OSError(28, "No space left on device")
        link(*arguments)

    monkeypatch.setattr(os, "link", failing)


def test_what_somebody_puts_into_a_new_folder_meanwhile_is_not_lost(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails_at(monkeypatch, 4, lambda: (folder / "new" / "deep" / "own.tf").write_bytes(b"mine\n"))
    with pytest.raises(TfkitError, match="nothing was written"):
        write(folder, WANTED)
    assert held(folder) == {**BEFORE, "new/deep/own.tf": b"mine\n"}


def test_a_new_file_that_is_gone_already_keeps_nothing_from_being_undone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails_at(monkeypatch, 4, lambda: (folder / "new" / "deep" / "d.tf").unlink())
    with pytest.raises(TfkitError, match="nothing was written"):
        write(folder, WANTED)
    assert held(folder) == BEFORE
    assert not (folder / "new").exists()


def test_a_step_that_cannot_be_undone_is_said_and_the_others_are(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def stuck(self: Path, target: Path) -> Path:
        if self.name.startswith(".tfkit-b.tf"):
            raise PermissionError(13, "Permission denied", str(target))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", stuck)
    fails_at(monkeypatch, 4, lambda: None)
    with pytest.raises(
        TfkitError, match=r"not all of them could be undone: .*b\.tf: Permission denied"
    ) as said:
        write(folder, WANTED)
    assert ".tfkit-NAME." in said.value.hint
    kept = f".tfkit-b.tf.{os.getpid()}"
    assert held(folder) == {**{p: c for p, c in BEFORE.items() if p != "b.tf"}, kept: b"b\n"}


@pytest.mark.parametrize("nth", range(1, 5))
def test_ctrl_c_right_after_a_step_leaves_no_second_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    link, calls = os.link, []

    def interrupted(*arguments: Any) -> None:
        calls.append(link(*arguments))
        if len(calls) == nth:
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "link", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(folder, WANTED)
    assert held(folder) == BEFORE


def test_a_file_that_appears_in_the_last_moment_is_not_taken_away(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def late(source: Path, target: Path) -> None:
        if target.name == "d.tf":
            target.write_bytes(b"mine\n")
        link(source, target)

    monkeypatch.setattr(os, "link", late)
    with pytest.raises(TfkitError, match="nothing was written"):
        write(folder, WANTED)
    assert held(folder) == {**BEFORE, "new/deep/d.tf": b"mine\n"}


def test_what_an_earlier_process_left_behind_is_never_put_back(folder: Path) -> None:
    left = folder / f".tfkit-a.tf.{os.getpid()}"
    left.write_bytes(b"of another day\n")
    with pytest.raises(TfkitError, match="nothing was written"):
        write(folder, WANTED)
    assert held(folder) == {**BEFORE, left.name: b"of another day\n"}
