"""What a run changed of the files that it started from."""

from typing import NamedTuple

from toolkit.contracts import Tree


class Change(NamedTuple):
    """A file before and after; None where there is none."""

    path: str
    before: bytes | None
    after: bytes | None

    @property
    def kind(self) -> str:
        """`new`, `changed` or `deleted`."""
        return "new" if self.before is None else "deleted" if self.after is None else "changed"


def changes(before: Tree, after: Tree) -> list[Change]:
    """The files that differ, in order."""
    return [
        Change(path, before.files.get(path), after.files.get(path))
        for path in sorted({*before.files, *after.files})
        if before.files.get(path) != after.files.get(path)
    ]
