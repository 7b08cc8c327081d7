"""The validator `fmt`: is the tree formatted as `terraform fmt` formats it."""

from collections.abc import Iterable, Iterator
from itertools import zip_longest

from toolkit.checker.findings import from_text, to_findings
from toolkit.checker.terraform import installed_terraform
from toolkit.checker.validator import Stage
from toolkit.contracts import Finding, Tool

HINT = "Run `terraform fmt`: indents of two spaces, equals signs of neighbouring arguments in one column."


class Fmt:
    """A finding per file that `terraform fmt` would change, at the first line that differs."""

    name = "fmt"

    def tool(self) -> Tool | None:
        """terraform and its version; None without it."""
        return installed_terraform()

    def check(self, stage: Stage) -> Iterable[Finding]:
        """Unformatted files (severity low), and files that cannot be parsed (high).

        Raises `TimeoutError` past the deadline.
        """
        done = stage.terraform.fmt(stage.deadline_s)
        yield from to_findings(from_text(done.errors), self.name, stage.root)
        for path, wanted in done.changed.items():
            yield self._unformatted(path, (stage.root / path).read_bytes(), wanted)

    def _unformatted(self, path: str, have: bytes, wanted: bytes) -> Finding:
        line, old, new = next(_differences(have, wanted), (0, "", ""))
        return Finding(
            validator=self.name,
            rule="unformatted",
            severity="low",
            message=f"line {line} is {old[:200]!r}; terraform fmt writes {new[:200]!r}",
            file=path,
            line=line,
            hint=HINT,
        )


def _differences(have: bytes, wanted: bytes) -> Iterator[tuple[int, str, str]]:
    """Line number from 1, the line as it is and as it is wanted, for each that differs."""
    # Split as bytes, so that texts that differ have a line that differs.
    lines = zip_longest(have.split(b"\n"), wanted.split(b"\n"), fillvalue=b"")
    for number, (old, new) in enumerate(lines, 1):
        if old != new:
            yield number, old.decode(errors="replace"), new.decode(errors="replace")
