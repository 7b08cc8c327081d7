"""Every command's help has examples, and each of them is a line that the command takes."""

import re

import click
import pytest
from cli_lines import of_document, of_line, reader
from test_cli_help import every_command

from toolkit.cli.docs import _walk
from toolkit.cli.root import COMMANDS, cli

LONGEST = 60


def helps() -> dict[str, str]:
    root = click.Context(cli, info_name="tfkit", **cli.context_settings)
    return {ctx.command_path: ctx.command.help or "" for ctx in _walk(root)}


def examples(text: str) -> list[str]:
    found = re.search(r"\x08\n *Examples?:\n((?: .*\S.*\n?)+)", text)
    return [line.strip() for line in found[1].splitlines()] if found else []


HELPS = helps()


def test_every_command_has_an_example():
    assert {path for path, text in HELPS.items() if not examples(text)} == set()
    assert len(HELPS) > 35


@pytest.mark.parametrize("path", HELPS)
def test_every_example_can_be_read(monkeypatch, path):
    read = reader(monkeypatch)
    for line in examples(HELPS[path]):
        read(line)


def test_every_example_is_of_its_own_command():
    for path, text in HELPS.items():
        names = path.split()[1:]
        for line in examples(text) if names else ():
            assert [word for word in of_line(line) or [] if word in names][: len(names)] == names, line


@pytest.mark.parametrize(
    "line",
    ["tfkit ask --nope", "tfkit nosuch", "tfkit runs show", "tfkit graph --format svg", "tfkit up extra"],
)
def test_what_cannot_be_read_is_found(monkeypatch, line):
    with pytest.raises(click.UsageError):
        reader(monkeypatch)(line)


def test_lines_of_a_document():
    text = "`tfkit a` and\n\n    tfkit b | cat\n\n```sh\n$ tfkit c > d\nx | tfkit e\n```\n`tfkitty` tfkit f\n"
    assert list(of_document(text)) == ["$ tfkit c > d", "x | tfkit e", "tfkit b | cat", "tfkit a"]
    assert of_line('echo "a | b" | tfkit ask - -x && cat') == ["ask", "-", "-x"]


def test_a_command_is_told_in_a_line():
    assert {name for name, (_, line) in COMMANDS.items() if len(line) >= LONGEST} == set()
    for command in every_command():
        first = (command.help or "").partition("\n\n")[0].strip()
        assert "\n" not in first, command.name
