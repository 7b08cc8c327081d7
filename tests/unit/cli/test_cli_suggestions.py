"""What Click finds wrong with a line, in our words: what it is, what may be meant, whose help to read."""

import pytest

from toolkit.cli.root import COMMANDS, ELSEWHERE


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("--stack", "option '--stack' requires an argument", "see: tfkit --help"),
        ("runs cancel --stack", "option '--stack' requires an argument", "see: tfkit runs cancel --help"),
        ("traces --run", "option '--run' requires an argument", "see: tfkit traces --help"),
        ("--json=1", "option '--json' does not take a value", "see: tfkit --help"),
        ("up --yes=no", "option '--yes' does not take a value", "see: tfkit up --help"),
        ("ask x --timeout soon", "invalid value for '--timeout': 'soon' is no number", "tfkit ask --help"),
        ("runs list --days 1.5", "invalid value for '--days': '1.5' is no whole number", "tfkit runs list"),
        (
            "runs list --days 0",
            "'--days': 0 is not in the range 1<=x<=90",
            "tfkit runs list",
        ),
        ("graph --format svg", "'svg' is not one of 'mermaid', 'dot'", "tfkit graph --help"),
        ("graph --formt dot", "no such option '--formt'", "did you mean --format? see: tfkit graph --help"),
        ("completion instal", "no such command 'instal'", "did you mean install or uninstall?"),
        ("UP", "no such command 'UP'", "did you mean up? see: tfkit --help"),
        ("Destroy", "no such command 'Destroy'", "did you mean down?"),
        ("plan", "no such command 'plan'", "did you mean preview?"),
        ("zzz", "no such command 'zzz'", "see: tfkit --help"),
        ("state import", "missing argument 'FILE'", "see: tfkit state import --help"),
        ("models add x", "missing option '--id'", "see: tfkit models add --help"),
    ],
)
def test_an_error_says_what_and_then_a_hint(tfkit, line, message, hint):
    ended = tfkit(*line.split())
    assert ended.code == 2
    error, next_line = ended.err.splitlines()
    assert error.startswith("error: ")
    assert message in error
    assert next_line.startswith("hint: ")
    assert hint in next_line
    if line == "zzz":
        assert "did you mean" not in next_line


def test_what_others_call_it_is_a_command_and_no_name_of_ours():
    assert set(ELSEWHERE.values()) <= set(COMMANDS)
    assert not set(ELSEWHERE) & set(COMMANDS)
    assert all(name.islower() for name in ELSEWHERE)
