"""The mends that are known: finding and file in, new text of the file out. Nothing else is mended."""

import re
from collections.abc import Callable

from toolkit.contracts import Finding
from toolkit.local.model.layout import tidy

Mend = Callable[[Finding, str], str | None]


def mend(finding: Finding, text: str) -> str | None:
    """The file's text with the finding mended, or None where no mend is known or none applies."""
    for pattern, cure in _MENDS:
        if pattern.search(f"{finding.validator}/{finding.rule} {finding.message}"):
            mended = cure(finding, text)
            return mended if mended is not None and mended != text else None
    return None


def mendable(finding: Finding) -> bool:
    """Whether a mend is known for findings of this sort, in a file that is named."""
    return bool(finding.file) and any(
        pattern.search(f"{finding.validator}/{finding.rule} {finding.message}") for pattern, _ in _MENDS
    )


def _layout(_finding: Finding, text: str) -> str | None:
    """Lay the file out anew, with two blanks for each level."""
    level = 0
    lines: list[str] = []
    for line in text.splitlines():
        bare = re.sub(r'"(?:\\.|[^"\\])*"', "", line).strip()
        if "<<" in bare:
            return None
        closing = len(bare) - len(bare.lstrip(")]}"))
        lines.append("  " * max(0, level - closing) + line.strip())
        level += sum(bare.count(c) for c in "({[") - sum(bare.count(c) for c in ")}]")
    return tidy("\n".join(lines))


def _declare_variable(finding: Finding, text: str) -> str | None:
    """Declare the input variable that is referred to."""
    name = re.search(r'(?:named "|var\.)([\w-]+)', finding.message)
    if name is None:
        return None
    block = f'\nvariable "{name[1]}" {{\n  description = "Value of {name[1]}."\n  type        = string\n}}\n'
    return text.rstrip("\n") + "\n" + block


def _drop_variable(finding: Finding, text: str) -> str | None:
    """Take a declaration out that nothing refers to."""
    name = re.search(r'"([\w-]+)"', finding.message)
    if name is None:
        return None
    block = re.compile(
        rf'^(?:variable|data "\w+") "{re.escape(name[1])}" \{{(?:\}}\n|.*?^\}}\n)\n?', re.M | re.S
    )
    return block.sub("", text, count=1)


def _drop_argument(finding: Finding, text: str) -> str | None:
    """Take the line out that sets an argument which the resource does not know."""
    name = re.search(r'argument named "(\w+)"', finding.message)
    lines = text.splitlines(keepends=True)
    if name is None or not 1 <= finding.line <= len(lines):
        return None
    if not re.match(rf"\s*{name[1]}\s*=[^{{\[(]*$", lines[finding.line - 1].rstrip("\n")):
        return None
    return tidy("".join(lines[: finding.line - 1] + lines[finding.line :]))


def _add_tag(finding: Finding, text: str) -> str | None:
    """Put a tag that a policy asks for among the tags that every resource gets."""
    name = re.search(r"tag[s]? (?:named |called )?[\"'`]?([A-Za-z][\w:-]*)", finding.message)
    tags = re.search(r"^(  default = \{\n)(    ManagedBy += )", text, re.M)
    if name is None or tags is None:
        return None
    return tidy(f'{text[: tags.end(1)]}    {name[1]} = "unset"\n{text[tags.end(1) :]}')


_MENDS: tuple[tuple[re.Pattern[str], Mend], ...] = (
    (re.compile(r"^fmt/"), _layout),
    (re.compile(r"undeclared input variable", re.I), _declare_variable),
    (re.compile(r"terraform_unused_declarations"), _drop_variable),
    (re.compile(r"unsupported argument", re.I), _drop_argument),
    (re.compile(r"^policy/.*(?:missing|required).*\btags?\b", re.I), _add_tag),
)
