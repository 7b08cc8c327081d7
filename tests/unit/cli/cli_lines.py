"""Command lines in help and documents: found, and read by Click to their end without running anything."""

import re
import shlex
from collections.abc import Callable, Iterator

import click
import pytest

from toolkit.cli.root import cli

ENDS = {"|", ">", ">>", "2>", "<", "&&", "||", ";"}
FENCED = re.compile(r"^```[a-z]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
OURS = re.compile(r"""(\$ )?(\S.* \| |eval "\$\()?tfkit """)
INLINE = re.compile(r"`(tfkit [^`]*)`")


def of_line(line: str) -> list[str] | None:
    """The arguments of the `tfkit` in a shell's line; None where there is none."""
    plain = re.sub(r'\)"?$', "", re.sub(r'"?\$\(|<\(', " ", line)) if "(tfkit" in line else line
    lexer = shlex.shlex(plain.removeprefix("$ "), posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    words = list(lexer)
    if "tfkit" not in words:
        return None
    after = words[words.index("tfkit") + 1 :]
    return after[: next((n for n, word in enumerate(after) if word in ENDS), len(after))]


def of_document(text: str) -> Iterator[str]:
    """Every line of a Markdown document that has a command of ours: in fences, indented, and in backticks."""
    indented = [line.strip() for line in text.splitlines() if line.startswith("    ")]
    fenced = [line.strip() for block in FENCED.findall(text) for line in block.splitlines()]
    yield from (line for line in [*fenced, *indented] if OURS.match(line))
    yield from INLINE.findall(FENCED.sub("", text))


def reader(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Reads a line as the command would; raises a `click.UsageError` for one that cannot be."""
    monkeypatch.setattr(click.Command, "invoke", lambda _self, _ctx: None)
    monkeypatch.setattr(click.Path, "convert", lambda _self, value, _param, _ctx: value)

    def read(line: str) -> None:
        arguments = of_line(line)
        assert arguments is not None, f"no command in: {line}"
        if arguments[-1:] not in (["--help"], ["--version"]):
            cli.main(arguments, prog_name="tfkit", standalone_mode=False, obj={})

    return read
