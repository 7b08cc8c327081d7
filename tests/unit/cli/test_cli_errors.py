"""Exit codes, and what is said with them."""

import io
import os
import subprocess
import sys

import pytest
from cli_fakes import ID, result

from toolkit.cli.errors import run
from toolkit.cli.root import cli
from toolkit.errors import Interrupted


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        (["staus"], "no such command 'staus'", "did you mean state, stats or status?"),
        (["runs", "lst"], "no such command 'lst'", "did you mean list?"),
        (["ask", "--modle", "x"], "no such option '--modle'", "did you mean --model"),
        (["--jsn", "runs"], "no such option '--jsn'", "did you mean --json"),
        (["runs", "show"], "missing argument 'RUN_ID'", "tfkit runs show --help"),
        (["--target", "moon", "up"], "'moon' is not one of 'local', 'aws'", "tfkit --help"),
        (["runs", "list", "--days", "0"], "--days", "tfkit runs list --help"),
        (["ask", "one", "two"], "unexpected extra argument", "tfkit ask --help"),
        (["ask"], "say what you need, once", "tfkit ask"),
        (["ask", ""], "the prompt is empty", "tfkit ask"),
        (["ask", " \n "], "the prompt is empty", "tfkit ask"),
        (["ask", "x", "--run-id", "Bad"], "'Bad' cannot be a run id", "8 to 48"),
        (["ask", "x", "--prompt-file", "absent"], "absent", "tfkit ask --help"),
        (["ask", "x", "--detach", "-o", "d"], "--detach writes no files", "tfkit runs files"),
        (["ask", "x", "--max-cost", "0"], "--max-cost", "tfkit ask --help"),
        (["traces", "--since", "yesterdayish"], "'yesterdayish' is no time", "valid are:"),
        (["--stack", "Not A Name", "runs"], "--stack on the command line cannot be", "lower-case"),
        (["up", "--compliance-days", "0"], "--compliance-days", "tfkit up --help"),
    ],
)
def test_wrong_usage_is_2_and_names_the_valid_form(tfkit, line, message, hint):
    ended = tfkit(*line)
    assert (ended.code, ended.out) == (2, "")
    error, *rest = ended.err.splitlines()
    assert error.startswith("error: ")
    assert message in error
    assert hint in "".join(rest)
    assert not error.endswith(".")


@pytest.mark.parametrize(
    "line", [["bogus", "--json"], ["--json", "bogus"], ["runs", "show", "--json"], ["ask", "", "--json"]]
)
def test_an_error_is_one_json_document_too(tfkit, line):
    ended = tfkit(*line)
    assert ended.code == 2
    assert set(ended.document) == {"error", "hint"}
    assert f"error: {ended.document['error']}" in ended.err


@pytest.mark.parametrize(
    "command", ["status", "runs", "models", "traces", "ask x", f"runs show {ID}", f"runs files {ID}"]
)
def test_nothing_deployed_is_4_and_says_up(tfkit, command):
    ended = tfkit(*command.split(), "--json")
    assert ended.code == 4
    assert "tfkit up" in ended.document["hint"]
    assert "local · account 000000000000 · us-east-1 · stack dev" in ended.err


def test_an_unknown_model_costs_no_run(tfkit, client):
    ended = tfkit("ask", "a bucket", "-m", "gpt")
    assert ended.code == 2
    assert "haiku, offline-composer" in ended.err
    assert client.submitted == []


@pytest.mark.parametrize("extra", [["-o", "used"], ["--run-id", ID]])
def test_a_used_folder_is_refused_before_anything_runs(tfkit, client, tmp_path, extra):
    for folder in (tmp_path / "used", tmp_path / "tfkit-runs" / ID):
        folder.mkdir(parents=True)
        (folder / "mine.tf").write_text("mine")
    ended = tfkit("ask", "a bucket", *extra)
    assert ended.code == 2
    assert "is not empty" in ended.err
    assert client.submitted == []


@pytest.mark.parametrize(
    ("status", "code"),
    [("ok", 0), ("not_converged", 3), ("budget_exceeded", 5), ("cancelled", 1), ("error", 1)],
)
def test_the_status_of_a_run_is_the_exit_code(tfkit, client, status, code):
    client.outcome = result(status=status)
    ended = tfkit("ask", "a bucket", "--json")
    assert (ended.code, ended.document["status"]) == (code, status)


def raising(error: BaseException):
    def submit(*_given):
        raise error

    return submit


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (Interrupted("stopped at your word"), 130, "stopped at your word"),
        (RuntimeError("odd"), 1, "RuntimeError: odd"),
    ],
)
def test_what_ends_a_command_is_reported(tfkit, client, error, code, message):
    client.submit = raising(error)
    ended = tfkit("ask", "a bucket", "--json")
    assert ended.code == code
    assert ended.document["error"] == message
    assert "Traceback" not in ended.err


def test_an_error_cannot_repaint_the_terminal(tfkit, client):
    client.submit = raising(RuntimeError("\x1b[2Jgone\x9b"))
    ended = tfkit("ask", "a bucket")
    assert "␛[2Jgone\ufffd" in ended.err
    assert "\x1b" not in ended.err


def test_the_prompt_from_standard_input(tfkit, client, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xef\xbb\xbfa bucket \xff\n")))
    assert tfkit("ask", "-").code == 0
    assert client.submitted[0].prompt == "a bucket \ufffd"


def test_a_prompt_that_is_no_utf8_can_be_sent(tfkit, client):
    assert tfkit("ask", os.fsdecode(b"a bucket \xff")).code == 0
    assert client.submitted[0].prompt == "a bucket \ufffd"


@pytest.mark.parametrize("line", [["--help"], ["bogus", "--json"], ["doctor"], ["doctor", "--json"]])
def test_a_reader_that_has_gone_is_no_crash(line):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as gone:
        done = subprocess.run(
            [sys.executable, "-m", "toolkit", *line],
            stdout=gone,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_a_character_that_the_terminal_lacks_ends_nothing(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    run(cli, ["doctor"])
    assert b"? python" in raw.getvalue()
