"""Puts a run's changes into the folder: all of them or none, and only over what the run was given.

    moved on since? ─▶ new contents beside the old ─▶ one rename a file ─▶ looked at again ─▶ done
                                                            └── whatever fails: everything back as it was

Each file is at every moment either the old one or the new one, whole.
"""

import os
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from toolkit.contracts import Tree
from toolkit.errors import TfkitError
from toolkit.paths import parts_of
from toolkit.start.changes import Change, changes
from toolkit.start.gather import gather, read_regular

PREFIX = ".tfkit-"

Undo = Callable[[], None]
"""Takes one step back; may be called where the step was not made."""


def refuse_moved_on(folder: Path, start: Tree, run_id: str) -> None:
    """Raise `TfkitError` where the folder is not as it was sent: what was checked would not be what is there.

    That goes for every file that went, also for those that the run did not touch: the checks spoke of all.
    """
    moved = [f"{change.path} ({change.kind})" for change in changes(start, gather(folder).tree)]
    if moved:
        raise TfkitError(
            f"nothing was written: {folder} is no longer what was sent: {_listed(moved)}",
            f"ask again, or compare by hand: tfkit runs files {run_id} -o DIR",
        )


def write(folder: Path, wanted: list[Change]) -> None:
    """Make the changes. Raises `TfkitError`, with the folder as it was, where one cannot be made.

    A change cannot be made where the file is not as its `before` says, where a symbolic link is in the way,
    and where the disk or its permissions refuse.
    """
    undo: list[Undo] = []
    kept: list[Path] = []
    staged: dict[str, Path] = {}
    try:
        for change in wanted:
            target = _target(folder, change.path)
            _refuse_other(target, change)
            if change.after is not None:
                _make_folders(target.parent, undo)
                staged[change.path] = _stage(target, change.after, undo)
        for change in wanted:
            _put(_target(folder, change.path), change, staged.get(change.path), undo, kept)
    except BaseException as error:  # also Ctrl-C: there is no half of it
        if left := _undone(undo):
            raise TfkitError(
                f"the changes were not made, and not all of them could be undone: {_listed(left)}",
                f"what was there lies beside it as {PREFIX}NAME.{os.getpid()}: rename it",
            ) from error
        if isinstance(error, OSError):
            raise TfkitError(
                f"nothing was written: {error.filename or folder}: {error.strerror or error}"
            ) from error
        raise
    _remove(kept)


def _undone(undo: list[Undo]) -> list[str]:
    """Take every step back, whatever becomes of the others; returns what could not be taken back."""
    left: list[str] = []
    for step in reversed(undo):
        try:
            step()
        except OSError as error:
            left.append(f"{error.filename}: {error.strerror or error}")
    return left


def _target(folder: Path, path: str) -> Path:
    """Where a path of a tree lies. It is data from a bucket, and must not lead elsewhere."""
    parts = parts_of(path)
    place = folder
    for part in parts[:-1]:
        place = place / part
        if place.is_symlink() or (place.exists() and not place.is_dir()):
            raise TfkitError(f"nothing was written: {place} is in the way of {path}")
    return folder.joinpath(*parts)


def _refuse_other(target: Path, change: Change) -> None:
    there = target.is_symlink() or target.exists()
    if there != (change.before is not None) or (there and read_regular(target) != change.before):
        raise TfkitError(
            f"nothing was written: {target} is not as it was when the run began",
            "a file that stayed home is never written over; ask again",
        )


def _make_folders(place: Path, undo: list[Undo]) -> None:
    for missing in reversed([p for p in (place, *place.parents) if not p.exists()]):
        undo.append(lambda folder=missing: _remove_empty(folder))
        missing.mkdir()


def _remove_empty(folder: Path) -> None:
    """Remove a folder that we made; what somebody else put there meanwhile is theirs, and keeps it."""
    with suppress(OSError):
        folder.rmdir()


def _stage(target: Path, content: bytes, undo: list[Undo]) -> Path:
    """The new content in a file beside the target, with the rights of the file that it replaces."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=PREFIX)
    undo.append(lambda: Path(name).unlink(missing_ok=True))
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(handle)
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666 & ~_umask()
    Path(name).chmod(mode)
    return Path(name)


def _umask() -> int:
    """The process's mask, which can be read only by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _put(target: Path, change: Change, staged: Path | None, undo: list[Undo], kept: list[Path]) -> None:
    """One file: the old one gets a second name, then the new one takes its place, in one rename.

    What undoes a step is noted before the step: Ctrl-C may come in between. So it looks whose the file is.
    """
    _refuse_other(target, change)
    if change.before is None:
        assert staged is not None
        ours = staged.lstat()
        undo.append(lambda: _take_away(target, ours))
        os.link(staged, target)  # unlike a rename it never takes the place of a file that has just appeared
        staged.unlink()
        return
    old = target.with_name(f"{PREFIX}{target.name}.{os.getpid()}")
    before = target.lstat()
    undo.append(lambda: _put_back(old, target, before))
    os.link(target, old)
    kept.append(old)
    if staged is None:
        target.unlink()
    else:
        staged.replace(target)
    if read_regular(old) != change.before:  # somebody wrote into it between the look and the rename
        raise TfkitError(f"nothing was written: {target} was changed in this very moment", "ask again")


def _take_away(target: Path, ours: os.stat_result) -> None:
    if _is(target, ours):
        target.unlink()


def _put_back(old: Path, target: Path, before: os.stat_result) -> None:
    if not _is(old, before):
        return
    if _is(target, before):  # two names of one file: a rename would leave both
        old.unlink()
    else:
        old.replace(target)


def _is(path: Path, file: os.stat_result) -> bool:
    try:
        return os.path.samestat(path.lstat(), file)
    except FileNotFoundError:
        return False


def _remove(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _listed(items: list[str]) -> str:
    shown = ", ".join(items[:5])
    return shown + (f" and {len(items) - 5} more" if len(items) > 5 else "")
