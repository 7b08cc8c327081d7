"""The files of a run, in memory.

There is no folder to escape from: a path is a key, so absolute paths, `..` and symbolic links have no
meaning here, and the rule of the checker's staging decides which names may exist. A mistake of the
model's is a `Refused`, with what to do instead.
"""

from collections.abc import Iterable, Mapping

from toolkit.checker.staging import MAX_FILES as STAGED_FILES
from toolkit.checker.staging import path_problem
from toolkit.contracts import Tree

MAX_FILES = 200
MAX_FILE_BYTES = 1024 * 1024
MAX_TREE_BYTES = 4 * 1024 * 1024


class Refused(Exception):
    """The workspace does not take this; the text tells the model how to mend it."""


class Workspace:
    """Files by path. Remembers which were read, because an edit needs a read before it.

    `files` are what the user brought: they count towards the size, and not towards the number, which is
    for what the model writes; the checker's staging bounds the whole.
    """

    def __init__(self, files: Mapping[str, bytes] | None = None) -> None:
        self._files: dict[str, bytes] = dict(files or {})
        self._most = min(STAGED_FILES, len(self._files) + MAX_FILES)
        self._seen: set[str] = set()

    def go_on(self, files: Mapping[str, bytes], seen: Iterable[str]) -> None:
        """Be as it was in an earlier invocation of the run."""
        self._files, self._seen = dict(files), set(seen)

    @property
    def tree(self) -> Tree:
        """The files as they are now."""
        return Tree(files=dict(self._files))

    @property
    def seen(self) -> frozenset[str]:
        """The files that were read or written, as they are now or were before."""
        return frozenset(self._seen)

    def paths(self) -> list[tuple[str, int]]:
        """Every path with its size in bytes, in order."""
        return [(path, len(content)) for path, content in sorted(self._files.items())]

    def read(self, path: str) -> str:
        """The text of a file."""
        try:
            text = self._get(path).decode("utf-8")
        except UnicodeDecodeError as error:
            raise Refused(f"{path} is not UTF-8 text") from error
        self._seen.add(path)
        return text

    def write(self, path: str, text: str) -> int:
        """Create a file, or replace one that was read or written before; returns its size in bytes."""
        if problem := path_problem(path):
            raise Refused(f"cannot write {path!r}: {problem}")
        if path in self._files and path not in self._seen:
            raise Refused(f"{path} is there already: read it before you replace it, or edit it")
        content = _encode(path, text)
        if len(content) > MAX_FILE_BYTES:
            raise Refused(
                f"{path} would have {len(content)} bytes; {MAX_FILE_BYTES} are allowed. Write less."
            )
        others = sum(len(c) for p, c in self._files.items() if p != path)
        if others + len(content) > MAX_TREE_BYTES:
            raise Refused(f"the files together may have {MAX_TREE_BYTES} bytes; delete something first")
        if path not in self._files and len(self._files) >= self._most:
            raise Refused(f"there may be {self._most} files; delete something first")
        self._files[path] = content
        self._seen.add(path)
        return len(content)

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace the one place where `old` stands in a file that was read before."""
        content = self._get(path)
        if path not in self._seen:
            raise Refused(f"read {path} before you edit it")
        text = content.decode("utf-8")
        count = _count(text, old)
        if count != 1:
            found = f"found {count} times" if count else "not found"
            raise Refused(
                f"`old` must stand exactly once in {path}; it was {found}. Give more of the lines around."
            )
        self.write(path, text.replace(old, new))

    def delete(self, path: str) -> None:
        """Remove a file that was read or written before."""
        self._get(path)
        if path not in self._seen:
            raise Refused(f"read {path} before you delete it")
        del self._files[path]
        self._seen.discard(path)

    def _get(self, path: str) -> bytes:
        if path not in self._files:
            known = ", ".join(sorted(self._files)) or "none yet"
            raise Refused(f"there is no file {path!r}; the files are: {known}")
        return self._files[path]


def _count(text: str, passage: str) -> int:
    """How often the passage stands in the text, overlaps included; an empty one stands nowhere."""
    count, start = 0, text.find(passage) if passage else -1
    while start >= 0:
        count, start = count + 1, text.find(passage, start + 1)
    return count


def _encode(path: str, text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Refused(f"{path}: the text is not valid Unicode at position {error.start}") from error
