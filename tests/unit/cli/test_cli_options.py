"""Global options on every side of a command, and what is not an option."""

import pytest

from toolkit import __version__


def stack(err: str) -> str:
    return err.splitlines()[0].rsplit("stack ", 1)[1]


@pytest.mark.parametrize(
    ("line", "last"),
    [
        ("--stack a runs", "a"),
        ("runs --stack b", "b"),
        ("--stack a runs --stack b", "b"),
        ("--stack a runs list", "a"),
        ("--stack a runs --stack b list --stack c", "c"),
        ("runs --stack b list", "b"),
        ("runs list --stack c --stack d", "d"),
        ("--stack a models --stack b", "b"),
    ],
)
def test_the_later_one_wins(tfkit, line, last):
    assert stack(tfkit(*line.split()).err) == last


@pytest.mark.parametrize(
    "line", ["--json runs list", "runs --json list", "runs list --json", "--json runs", "runs --json"]
)
def test_json_counts_on_every_side(tfkit, client, line):
    ended = tfkit(*line.split())
    assert (ended.code, ended.document) == (0, [])


@pytest.mark.parametrize("line", ["--version", "up --version", "runs list --version", "runs show --version"])
def test_version_everywhere(tfkit, line):
    assert tfkit(*line.split()) == (0, f"tfkit {__version__}\n", "")


@pytest.mark.parametrize("line", ["--json --version", "--version --json", "up --version --json"])
def test_version_as_json(tfkit, line):
    assert tfkit(*line.split()).document == {"version": __version__}


def test_bare_prints_the_help(tfkit):
    bare, asked = tfkit(), tfkit("--help")
    assert bare == asked
    assert bare.code == 0
    assert "Commands:" in bare.out
    assert bare.err == ""


def test_a_bare_group_lists(tfkit, client):
    assert tfkit("runs") == tfkit("runs", "list")
    assert "no runs yet" in tfkit("runs").out


def test_a_prompt_may_look_like_an_option(tfkit):
    ended = tfkit("ask", "--", "--json")
    assert (ended.code, ended.out) == (4, "")
    ended = tfkit("ask", "--json", "--", "-v")
    assert "Traceback" not in ended.err
    assert set(ended.document) == {"error", "hint"}


def test_only_v_shows_a_traceback(tfkit):
    assert "Traceback" not in tfkit("runs").err
    assert "Traceback" in tfkit("runs", "-v").err
    assert "Traceback" in tfkit("-v", "runs").err


def test_what_follows_two_dashes_is_no_option_of_a_broken_line_either(tfkit):
    assert tfkit("bogus", "--", "--json").out == ""
    assert tfkit("ask", "--bogus", "--", "--json").out == ""
    assert set(tfkit("ask", "--bogus", "--json", "--", "x").document) == {"error", "hint"}
