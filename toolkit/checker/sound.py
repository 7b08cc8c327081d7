"""Whether what a validator yields are findings: of the right shape, about this tree, and not without end.

A validator may be anybody's code. What it says wrongly is its error, by name; it never becomes a finding, and
never nothing.
"""

from collections.abc import Iterable
from pathlib import PurePosixPath

import msgspec

from toolkit.checker.staging import OVERRIDE_NAME
from toolkit.contracts import Finding
from toolkit.errors import PlatformError

MAX_FINDINGS = 5_000
"""Of one validator; a tree has 500 files at most, and nobody reads more."""

MAX_CHARS = 4_000
"""Of one text of a finding."""

MAX_LINE = 10_000_000


def sound_findings(found: Iterable[object], name: str) -> list[Finding]:
    """The findings of the validator `name`, made fit to be shown.

    Raises `PlatformError` that names it where one is no finding, speaks for another validator, points outside
    the tree, or where there are more than `MAX_FINDINGS`.
    """
    kept: list[Finding] = []
    for item in found:
        if len(kept) >= MAX_FINDINGS:
            raise _nonsense(name, f"it gave more than {MAX_FINDINGS} findings")
        kept.append(_sound(item, name))
    return kept


def _sound(item: object, name: str) -> Finding:
    if not isinstance(item, Finding):
        raise _nonsense(name, f"it gave {type(item).__name__} in the place of a finding")
    try:
        # Structs are not checked when they are made, only when they are converted.
        finding = msgspec.convert(msgspec.to_builtins(item), Finding)
    except (msgspec.ValidationError, TypeError, RecursionError, UnicodeError) as error:
        raise _nonsense(name, f"a finding is malformed: {error}") from error
    # `validate` shows what init said in its own place.
    if finding.validator not in (name, "init"):
        raise _nonsense(name, f"a finding says that it is of {finding.validator[:50]!r}")
    if not 0 <= finding.line <= MAX_LINE:
        raise _nonsense(name, f"a finding is at line {finding.line}")
    if not finding.rule.isprintable() or not finding.rule:
        raise _nonsense(name, f"a finding has the rule {finding.rule[:50]!r}")
    if problem := _file_problem(finding.file):
        raise _nonsense(name, f"a finding is about {finding.file[:100]!r}, {problem}")
    # The checker's own file lies in the stage and is nobody's to mend.
    place = {"file": "", "line": 0} if finding.file == OVERRIDE_NAME else {}
    texts = {field: _shown(getattr(finding, field)) for field in ("rule", "message", "hint", "url")}
    return msgspec.structs.replace(finding, **texts, **place)


def _file_problem(file: str) -> str | None:
    path = PurePosixPath(file)
    if path.is_absolute() or ".." in path.parts or "\\" in file:
        return "which is outside the tree"
    return None if file.isprintable() and len(file) <= MAX_CHARS else "which is no name of a file"


def _shown(text: str) -> str:
    """Without control characters other than ends of lines, and of bounded length."""
    clean = "".join(c if c.isprintable() or c == "\n" else " " if c == "\t" else "?" for c in text)
    return clean if len(clean) <= MAX_CHARS else clean[: MAX_CHARS - 1] + "…"


def _nonsense(name: str, what: str) -> PlatformError:
    return PlatformError(
        f"the validator {name} cannot be believed: {what}", f"report it to whoever wrote {name}"
    )
