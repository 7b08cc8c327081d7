"""terraform's diagnostics as findings, and whose fault a failure is.

What the tree can mend is a `Finding`; what it cannot (no provider to be had, a full disk, a provider that
does not start) is a `PlatformError`, which is never handed to the model.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from toolkit.checker.mirrors import BUILTIN, HOST, Provider
from toolkit.checker.staging import OVERRIDE_NAME
from toolkit.contracts import Finding, Severity
from toolkit.errors import PlatformError, ToolMissing

MAX_MESSAGE_CHARS = 1200


class Position(msgspec.Struct):
    """A place in a file; lines count from 1."""

    line: int


class Range(msgspec.Struct):
    """Where a diagnostic points."""

    filename: str
    start: Position


class Diagnostic(msgspec.Struct):
    """One diagnostic of terraform's `-json` output (format 1); `address` is the resource's, if it has one."""

    severity: str
    summary: str
    detail: str = ""
    range: Range | None = None
    address: str = ""


class InitLine(msgspec.Struct):
    """One line of `terraform init -json`."""

    type: str = ""
    diagnostic: Diagnostic | None = None


class ValidateOutput(msgspec.Struct):
    """The document of `terraform validate -json`."""

    valid: bool
    diagnostics: list[Diagnostic] = []


# Said about how we installed providers, or about other diagnostics; nothing in the tree causes or mends them.
_NOT_OF_THE_TREE = (
    "Incomplete lock file information for providers",
    "Terraform encountered problems during initiali",
    "Provider development overrides are in effect",
)

_PROVIDER_NOT_STARTED = re.compile(
    r"^(Failed to load plugin schemas|Plugin did not respond|Failed to instantiate provider|Plugin error)"
)
_DISK = re.compile(r"no space left on device|disk quota exceeded|read-only file system", re.IGNORECASE)
_PROVIDER = re.compile(r"provider ([\w.-]+(?:/[\w.-]+)+)")
_UNSATISFIED = re.compile(r"no available releases match the given constraints ([^\n]+)")

_LOCAL_ONLY = 'Only modules of this workspace can be used here: source = "./…".'
_HINTS = {
    "Module not installed": "Write the module below ./ in this workspace.",
    "Unreadable module directory": "This workspace has no such folder; write the module's files.",
    "Failed to download module": _LOCAL_ONLY,
    "Error accessing remote module registry": _LOCAL_ONLY,
    "Module not found": _LOCAL_ONLY,
}


def to_findings(diagnostics: Iterable[Diagnostic], validator: str, root: Path | None = None) -> list[Finding]:
    """Diagnostics as findings of `validator`; paths below `root` are shown relative to it.

    Raises `PlatformError` where one of them says that the platform failed.
    """
    found = []
    for diagnostic in diagnostics:
        text = f"{diagnostic.summary} {diagnostic.detail}"
        if _DISK.search(text) or _PROVIDER_NOT_STARTED.match(diagnostic.summary):
            raise PlatformError(
                f"terraform {validator}: {_cap(text)}", "Free disk or memory, then try again."
            )
        if not diagnostic.summary.startswith(_NOT_OF_THE_TREE):
            found.append(_finding(diagnostic, validator, root))
    return found


def init_findings(
    diagnostics: Sequence[Diagnostic], providers: Sequence[Provider], root: Path | None = None
) -> list[Finding]:
    """As `to_findings` for `terraform init`, where `providers` are those on the allow-list.

    Raises `ToolMissing` where a provider that is allowed cannot be had.
    """
    found = []
    for diagnostic, finding in _pairs(diagnostics, root):
        problem = _provider_problem(diagnostic, finding, providers)
        # Terraform reports an absent provider once for each module that wants it.
        if problem not in found:
            found.append(problem)
    return found


def _pairs(diagnostics: Sequence[Diagnostic], root: Path | None) -> list[tuple[Diagnostic, Finding]]:
    return [(d, f) for d in diagnostics for f in to_findings([d], "init", root)]


def _provider_problem(diagnostic: Diagnostic, finding: Finding, providers: Sequence[Provider]) -> Finding:
    match = _PROVIDER.search(diagnostic.detail)
    if diagnostic.severity != "error" or not match or "provider" not in diagnostic.summary.lower():
        return finding
    source = match[1].removeprefix(f"{HOST}/")
    here = ", ".join(map(str, providers)) or "none"
    allowed = next((p for p in providers if p.source == source), None)
    if source == BUILTIN:
        return finding
    if allowed is None:
        hint = f"Providers available here: {here}. Use resources of these only."
        return msgspec.structs.replace(finding, rule="provider-not-available", hint=hint)
    if unsatisfied := _UNSATISFIED.search(diagnostic.detail):
        message = f"No version of the provider {source} that is at hand satisfies {unsatisfied[1]}."
        hint = "Write a version constraint that a published version satisfies."
        if allowed.versions:
            loose = ".".join(allowed.versions[-1].split(".")[:2])
            hint = f'At hand is {allowed}; write version = "~> {loose}".'
        return msgspec.structs.replace(finding, rule="provider-version", message=message, hint=hint)
    raise ToolMissing(
        f"the provider {source} cannot be had: {_cap(diagnostic.detail, 400)}",
        "Connect to the network, or set TFKIT_PROVIDER_MIRROR to a folder that "
        "`terraform providers mirror` has filled.",
    )


def _finding(diagnostic: Diagnostic, validator: str, root: Path | None) -> Finding:
    severity: Severity = "high" if diagnostic.severity == "error" else "low"
    message = f"{diagnostic.summary}: {diagnostic.detail}" if diagnostic.detail else diagnostic.summary
    if root is not None:
        message = message.replace(f"{root}/", "").replace(str(root), ".")
    place = diagnostic.range
    file = place.filename if place and place.filename != OVERRIDE_NAME else ""
    return Finding(
        validator=validator,
        rule=slug(diagnostic.summary),
        severity=severity,
        message=_cap(message),
        file=file,
        line=place.start.line if place and file else 0,
        hint=_HINTS.get(diagnostic.summary, ""),
    )


def slug(summary: str) -> str:
    """A rule's name from a diagnostic's summary: `Unsupported argument` → `unsupported-argument`."""
    return re.sub(r"[^a-z0-9]+", "-", summary.lower()).strip("-")[:60] or "error"


def _cap(text: str, limit: int = MAX_MESSAGE_CHARS) -> str:
    text = text.strip()
    return text if len(text) <= limit else text[: limit - 1] + "…"


_TEXT_ERROR = re.compile(
    r"^Error: (?P<summary>.+)\n(?:\n  on (?P<file>.+?) line (?P<line>\d+)[^\n]*\n(?:[ ]+[^\n]*\n)*)?"
    r"\n?(?P<detail>(?:(?!Error: )[^\n]*\n?)*)",
    re.MULTILINE,
)


def from_text(text: str) -> list[Diagnostic]:
    """Diagnostics from terraform's `-no-color` text, for commands that have no JSON (`fmt`)."""
    return [
        Diagnostic(
            severity="error",
            summary=match["summary"],
            detail=match["detail"].strip(),
            range=Range(match["file"], Position(int(match["line"]))) if match["file"] else None,
        )
        for match in _TEXT_ERROR.finditer(text)
    ]
