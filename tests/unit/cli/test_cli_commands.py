"""What the commands print, for programs and for people."""

import json
import time

import pytest
from cli_fakes import ID, LONG_ID, record, result

RESULT_KEYS = {
    "run_id", "status", "model", "prompt", "output", "files", "attempts", "usage", "seconds", "trace_id",
    "error",
}  # fmt: skip


def test_ask_as_json(tfkit, client, tmp_path):
    ended = tfkit("ask", "a bucket", "--json", "-o", "out")
    assert ended.code == 0
    assert ended.document.keys() >= RESULT_KEYS
    assert ended.document["usage"] == {
        "requests": 2,
        "input_tokens": 1200,
        "output_tokens": 34,
        "cost_usd": None,
    }
    assert [str(path) for path in client.written] == ["out"]


def test_ask_for_people(tfkit, client):
    ended = tfkit("ask", "a bucket", "-o", "my folder")
    assert "ok · offline-composer" in ended.out
    assert "files in my folder: main.tf" in ended.out
    assert "cd 'my folder' && terraform init" in ended.out


def test_detached_says_only_the_id(tfkit, client):
    assert tfkit("ask", "x", "--detach", "--run-id", ID, "--json").document == {
        "run_id": ID,
        "status": "queued",
    }
    assert tfkit("ask", "x", "--detach", "--run-id", ID).out.splitlines()[0] == ID
    assert client.written == []


def test_extract_prints_only_the_code(tfkit, client):
    client.text = "x = 1 # \x1b[31m"
    assert tfkit("ask", "x", "-x").out == "# main.tf\nx = 1 # \x1b[31m\n"  # a program gets it unchanged


def test_extract_spares_a_terminal(tfkit, client, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    client.text = "x = 1 # \x1b[31m\n"
    assert tfkit("ask", "x", "-x").out == "# main.tf\nx = 1 # ␛[31m\n"


def test_show_of_a_run_that_is_still_running(tfkit, client):
    client.records[ID] = record()
    ended = tfkit("runs", "show", ID, "--json")
    assert ended.code == 0
    assert ended.document.keys() >= RESULT_KEYS
    assert (ended.document["status"], ended.document["error"]) == ("running", None)
    assert "running · terraform validate" in tfkit("runs", "show", ID).out


def test_show_of_a_run_whose_function_died(tfkit, client):
    client.records[ID] = record(lease_until=int(time.time()) - 60)
    ended = tfkit("runs", "show", ID, "--json")
    assert ended.document["status"] == "error"
    assert "terraform validate" in ended.document["error"]
    assert "without a word" in tfkit("runs", "show", ID).out


def test_show_of_a_run_that_ended(tfkit, client):
    client.records[ID] = record(status="ok")
    assert tfkit("runs", "show", ID, "--json").document["status"] == "ok"


@pytest.mark.parametrize("command", ["show", "files"])
def test_an_unknown_run_is_1(tfkit, client, command):
    ended = tfkit("runs", command, "0000000000000000", "--json")
    assert ended.code == 1
    assert ended.document == {"error": "no run has the id 0000000000000000", "hint": "list them: tfkit runs"}


def test_files_of_a_run(tfkit, client):
    assert tfkit("runs", "files", ID, "-o", "d", "--json").document == [
        {"path": "main.tf", "sha256": "0" * 64, "bytes": 3}
    ]
    client.outcome = result(status="error", files=[])
    ended = tfkit("runs", "files", ID)
    assert ended.code == 1
    assert "made no files" in ended.err


def test_models(tfkit, client):
    assert set(tfkit("models", "--json").document["models"]) == {"haiku", "offline-composer"}
    assert "offline-composer" in tfkit("models").out


def test_a_list_that_is_piped_is_not_wrapped(tfkit, client, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    prompt = "a \x1b[31mbucket\n" + "with words " * 5
    client.records[LONG_ID] = record(run_id=LONG_ID, status="not_converged", prompt=prompt)
    header, row = tfkit("runs").out.splitlines()
    assert header.split() == ["run", "started", "status", "model", "prompt"]
    assert row.startswith(LONG_ID)
    assert "not_converged" in row
    assert "a ␛[31mbucket with words" in row


def test_a_result_that_is_piped_is_not_wrapped(tfkit, client, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    folder = "/".join(["a-folder-with-a-long-name"] * 6)
    client.outcome = result(output="word " * 60, status="not_converged")
    lines = tfkit("ask", "x", "-o", folder).out.splitlines()
    assert f"files in {folder}: main.tf" in lines
    assert ("word " * 60).strip() in lines


def test_json_holds_nothing_that_a_terminal_obeys(tfkit, client):
    client.outcome = result(output="\x1b[2J\x7f\x9b31m\u202etxt\ufeff")
    ended = tfkit("ask", "x", "--json")
    assert ended.document["output"] == client.outcome.output
    assert not any(c in ended.out for c in "\x1b\x7f\x9b\u202e\ufeff")


def test_stdout_holds_only_the_document(tfkit, client):
    for line in ("runs", "models", "doctor", f"runs show {ID}", "ask x"):
        assert json.loads(tfkit("--json", *line.split()).out) is not None


def test_progress_is_silent_where_nobody_looks(tfkit, client):
    assert tfkit("ask", "x").err == "local · account 000000000000 ·  · stack dev\n"
