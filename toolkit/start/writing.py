"""Puts a run's changes into the folder: all of them or none, and only over what the run was given.

    moved on since? ─▶ new contents beside the old ─▶ one rename a file ─▶ looked at again ─▶ done
                                                            └── whatever fails: everything back as it was

Each file is at every moment either the old one or the new one, whole.
"""

import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from toolkit.contracts import Tree
from toolkit.errors import TfkitError
from toolkit.start.changes import Change, changes
from toolkit.start.gather import gather, read_regular

PREFIX = ".tfkit-"


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
    undo: list[Callable[[], object]] = []
    kept: list[Path] = []
    staged: dict[str, Path] = {}
    try:
        for change in wanted:
            target = _target(folder, change.path)
            _refuse_other(target, change)
            if change.after is not None:
                _make_folders(target.parent, undo)
                staged[change.path] = _stage(target, change.after)
        for change in wanted:
            _put(_target(folder, change.path), change, staged.get(change.path), undo, kept)
    except BaseException as error:  # also Ctrl-C: there is no half of it
        for step in reversed(undo):
            step()
        _remove([*staged.values(), *kept])
        if isinstance(error, OSError):
            raise TfkitError(
                f"nothing was written: {error.filename or folder}: {error.strerror or error}"
            ) from error
        raise
    _remove(kept)


def _target(folder: Path, path: str) -> Path:
    """Where a path of a tree lies. It is data from a bucket, and must not lead elsewhere."""
    parts = PurePosixPath(path).parts
    if not parts or PurePosixPath(path).is_absolute() or ".." in parts or "\\" in path or "\0" in path:
        raise TfkitError(f"nothing was written: {path!r} leads elsewhere")
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


def _make_folders(place: Path, undo: list[Callable[[], object]]) -> None:
    for missing in reversed([p for p in (place, *place.parents) if not p.exists()]):
        missing.mkdir()
        undo.append(lambda folder=missing: shutil.rmtree(folder, ignore_errors=True))


def _stage(target: Path, content: bytes) -> Path:
    """The new content in a file beside the target, with the rights of the file that it replaces."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=PREFIX)
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


def _put(
    target: Path,
    change: Change,
    staged: Path | None,
    undo: list[Callable[[], object]],
    kept: list[Path],
) -> None:
    """One file: the old one gets a second name, then the new one takes its place, in one rename."""
    _refuse_other(target, change)
    if change.before is None:
        assert staged is not None
        os.link(staged, target)  # unlike a rename it never takes the place of a file that has just appeared
        undo.append(target.unlink)
        staged.unlink()
        return
    old = target.with_name(f"{PREFIX}{target.name}.{os.getpid()}")
    os.link(target, old)
    kept.append(old)
    undo.append(lambda: old.replace(target))
    if staged is None:
        target.unlink()
    else:
        staged.replace(target)
    if read_regular(old) != change.before:  # somebody wrote into it between the look and the rename
        raise TfkitError(f"nothing was written: {target} was changed in this very moment", "ask again")


def _remove(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _listed(items: list[str]) -> str:
    shown = ", ".join(items[:5])
    return shown + (f" and {len(items) - 5} more" if len(items) > 5 else "")
