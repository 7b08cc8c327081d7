"""Help: the same words everywhere, at no cost, and in docs/cli.md."""

import subprocess
import sys

import click
import pytest

from toolkit.cli.docs import COMMAND, PAGE, page
from toolkit.cli.root import COMMANDS, cli


def every_command(command: click.Command = cli) -> list[click.Command]:
    below = command.commands.values() if isinstance(command, click.Group) else []
    if command is cli:
        context = click.Context(cli)
        below = [cli.get_command(context, name) for name in COMMANDS]
    return [command, *(found for sub in below for found in every_command(sub))]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_says_what_the_command_says(name):
    command = cli.get_command(click.Context(cli), name)
    assert command.name == name
    assert command.get_short_help_str(200) == COMMANDS[name][1]


def test_every_command_is_documented_and_takes_the_global_options():
    expected = {"target", "engine", "stack", "region", "profile", "json", "quiet", "verbose", "version"}
    for command in every_command():
        assert command.help, command.name
        assert expected <= {parameter.name for parameter in command.params}, command.name
        for parameter in command.params:
            assert not isinstance(parameter, click.Option) or parameter.help, (command.name, parameter.name)


def test_every_group_does_something_without_a_command():
    groups = [command for command in every_command() if isinstance(command, click.Group)]
    assert {group.name for group in groups} >= {"tfkit", "runs"}
    assert all(group.invoke_without_command for group in groups)


@pytest.mark.parametrize("line", ["--help", "ask --help", "runs --help", "--version"])
def test_help_imports_nothing_heavy(line):
    heavy = ("boto3", "botocore", "rich", "pulumi", "pulumi_aws", "pydantic", "pydantic_ai", "msgspec")
    program = (
        "import sys; from toolkit.cli.errors import run; from toolkit.cli.root import cli;"
        f"code = run(cli, {line.split()!r});"
        f"print('loaded:', *[name for name in {heavy!r} if name in sys.modules]); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "loaded:"


def test_the_page_in_docs_is_what_help_says():
    assert PAGE.is_file(), f"docs/cli.md is missing; run: {COMMAND}"
    assert PAGE.read_text("utf-8") == page(), f"docs/cli.md is stale; run: {COMMAND}"


def test_the_page_does_not_depend_on_the_screen(monkeypatch):
    before = page()
    monkeypatch.setenv("COLUMNS", "40")
    assert page() == before
