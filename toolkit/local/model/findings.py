"""Reads findings out of a text: lines of `path:line: severity [validator/rule] message (hint: …)`."""

import re

from toolkit.contracts import SEVERITIES, Finding, Severity

_LINE = re.compile(
    r"^(?:[-*] )?(?:(?P<file>[^\s:\[\]]+)(?::(?P<line>\d+))?:?\s+|[-:]\s*)?"
    r"(?P<severity>info|low|medium|high|critical)\s+"
    r"\[(?P<validator>[^\]/]+)/(?P<rule>[^\]]+)\]\s*(?P<message>.*?)(?:\s*\(hint: (?P<hint>.*)\))?\s*$",
    re.M,
)


def read_findings(text: str) -> tuple[Finding, ...]:
    """The findings of a text, in order."""
    return tuple(
        Finding(
            validator=match["validator"],
            rule=match["rule"],
            severity=_severity(match["severity"]),
            message=match["message"],
            file=match["file"] or "",
            line=int(match["line"] or 0),
            hint=match["hint"] or "",
        )
        for match in _LINE.finditer(text)
    )


def _severity(word: str) -> Severity:
    """The word as one of the severities; the pattern lets no other through."""
    return next(severity for severity in SEVERITIES if severity == word)
