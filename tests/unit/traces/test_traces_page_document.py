"""What the page shows of a run: rows, messages each once, the conversation, attempts with their diffs."""

import json
from typing import Any

import msgspec
from traces_pages import SECOND_DIFF, answered, called, chat, details, said, span, usual_spans

from toolkit.traces.page.diffs import split
from toolkit.traces.page.document import RunDetails, run_document
from toolkit.traces.query import Span


def told(spans: list[Span]) -> dict[str, Any]:
    return run_document(details(spans=spans, result=None, files={}))


def texts_of_conversation(found: dict[str, Any]) -> list[str]:
    """The conversation as `role: text`, with `rewritten N` where the history was."""
    lines: list[str] = []
    for entry in found["conversation"]:
        if "rewritten" in entry:
            lines.append(f"rewritten {entry['rewritten']}")
            continue
        message = found["messages"][entry["message"]]
        part = message["parts"][0]
        lines.append(f"{message['role']}: {part.get('name') or found['texts'][part['text']]}")
    return lines


def test_rows_say_kind_place_time_tokens_and_cost() -> None:
    rows = told(usual_spans())["spans"]
    assert [row["kind"] for row in rows] == ["step", "agent", "model", "tool", "model", "check"]
    assert [row["depth"] for row in rows] == [0, 1, 2, 2, 2, 1]
    assert (rows[2]["at"], rows[2]["took"], rows[2]["input"], rows[2]["cost"]) == (0.2, 1.0, 1800, 0.003)


def test_arguments_are_texts_by_name_so_that_code_keeps_its_lines() -> None:
    found = told(usual_spans())
    args = {name: found["texts"][number] for name, number in found["spans"][3]["args"]}
    assert args["content"].startswith('resource "aws_s3_bucket" "data" {\n')
    assert found["texts"][found["spans"][3]["result"]] == "written"


def test_the_conversation_is_told_once_in_the_order_in_which_it_came() -> None:
    assert texts_of_conversation(told(usual_spans())) == [
        "system: You write Terraform.",
        "user: an encrypted bucket",
        "assistant: write_file",
        "user: write_file",
        "assistant: Done.",
    ]


def test_what_is_said_twice_is_told_twice() -> None:
    again = said("user", "go on")
    spans = [
        chat(1, [again], [said("assistant", "yes")], 1),
        chat(2, [again, said("assistant", "yes"), again], [said("assistant", "yes")], 2),
    ]
    assert texts_of_conversation(told(spans))[1:] == [
        "user: go on", "assistant: yes", "user: go on", "assistant: yes",
    ]  # fmt: skip


def test_a_history_that_was_rewritten_is_said_and_nothing_is_repeated() -> None:
    one, two, three = (said("user", text) for text in ("one", "two", "three"))
    short = said("user", "one and two in short")
    spans = [
        chat(1, [one, two], [said("assistant", "ok")], 1),
        chat(2, [short, said("assistant", "ok"), three], [said("assistant", "fine")], 2),
    ]
    assert texts_of_conversation(told(spans))[1:] == [
        "user: one", "user: two", "assistant: ok", "rewritten 3",
        "user: one and two in short", "user: three", "assistant: fine",
    ]  # fmt: skip


def test_what_an_agent_heard_last_is_told_though_no_call_followed() -> None:
    write, result = called("write_file", {}), answered("write_file", "written")
    more = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "writer"}
    more["pydantic_ai.all_messages"] = json.dumps([said("user", "go"), write, result])
    more["gen_ai.system_instructions"] = json.dumps([{"type": "text", "content": "You write Terraform."}])
    spans = [span(1, "invoke_agent writer", -1, 0, 9, **more), chat(2, [said("user", "go")], [write], 1)]
    assert texts_of_conversation(told(spans))[1:] == ["user: go", "assistant: write_file", "user: write_file"]


def test_a_long_run_is_not_stored_with_the_square_of_its_calls() -> None:
    history: list[Any] = [said("user", "go")]
    spans = [span(1, "invoke_agent writer")]
    for number in range(2, 202):
        reply = called("read_file", {"path": f"{number}.tf"}, f"c{number}")
        spans.append(chat(number, history, [reply], number))
        history += [reply, answered("read_file", "x" * 1000 + str(number), f"c{number}")]
    found = told(spans)
    assert len(found["messages"]) == 1 + 1 + 200 + 199
    assert max(len(row.get("history", [])) for row in found["spans"]) <= 3
    assert sum(len(str(one.attributes)) for one in spans) > 20_000_000
    assert len(msgspec.json.encode(found)) < 700_000


def test_messages_that_cannot_be_read_stay_attributes() -> None:
    deep = '[{"role":"user","parts":[' + "[" * 100_000
    for strange in ("no JSON", "{}", deep, "[1, 2", 7, ["list"]):
        more = {
            "gen_ai.operation.name": "chat",
            "gen_ai.agent.name": ["list"],
            "gen_ai.input.messages": strange,
        }
        (row,) = told([span(1, "chat x", **more)])["spans"]
        assert "history" not in row
        assert "gen_ai.input.messages" in dict(row["attributes"])


def test_messages_of_another_form_are_shown_as_they_are() -> None:
    odd = [17, {"role": 5}, {"role": "user", "parts": "text"}, {"role": "user", "parts": [{"type": "uri"}]}]
    found = told([chat(1, [*odd, {"role": "user", "parts": [[["x"]]]}], [], 1)])
    kinds = [message["parts"][0]["kind"] for message in found["messages"]]
    assert kinds == ["text", "other", "other", "other", "other", "other"]


def test_numbers_that_scripts_cannot_hold_are_texts() -> None:
    found = told([span(1, "run", **{"big": 2**70, "list": [1], "not": float("nan"), "operation.cost": "1"})])
    attributes = {name: found["texts"][number] for name, number in found["spans"][0]["attributes"]}
    assert attributes["big"] == str(2**70)
    assert found["spans"][0]["cost"] is None
    msgspec.json.encode(found)


def test_without_contents_there_is_no_conversation() -> None:
    found = told([span(1, "chat haiku", **{"gen_ai.operation.name": "chat"})])
    assert found["conversation"] == []
    assert found["prompt"] == ""


def test_without_a_result_the_prompt_is_what_the_user_said_first() -> None:
    assert told(usual_spans("a queue"))["prompt"] == "a queue"


def test_a_diff_is_taken_apart_by_file_and_its_lines_are_no_headers() -> None:
    main, new, old = split(SECOND_DIFF)
    assert (main.path, main.added, main.removed) == ("main.tf", 2, 2)
    assert "--- a comment of another language" in main.text
    assert (new.path, new.added, new.removed, new.text) == ("new.tf", 1, 0, "@@ -0,0 +1 @@\n+z")
    assert (old.path, old.added, old.removed) == ("old.tf", 0, 1)
    assert split("") == []


def test_lines_are_what_line_feeds_end_whatever_else_they_hold() -> None:
    odd = "a\x0cb\u2028c\rd"
    one, two = split(f"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-{odd}\n+{odd}\n--- a/y\n+++ b/y\n@@ -1 +0,0 @@\n-y\n")
    assert (one.path, one.added, one.removed, two.path) == ("x", 1, 1, "y")


def test_what_is_no_diff_is_kept_as_it_is() -> None:
    (found,) = split("left out: 12 MB\nof text")
    assert (found.path, found.text) == ("", "left out: 12 MB\nof text")


def test_attempts_carry_their_diffs_by_file() -> None:
    found = run_document(details())
    first, second = found["result"]["attempts"]
    assert [file["path"] for file in first["diff"]] == ["s3.tf"]
    assert [file["path"] for file in second["diff"]] == ["main.tf", "new.tf", "old.tf"]
    assert found["texts"][second["diff"][1]["text"]] == "@@ -0,0 +1 @@\n+z"


def test_files_that_are_no_text_are_shown_as_far_as_they_are() -> None:
    found = run_document(RunDetails(details().trace, None, {"x.bin": b"\xff\xfe\x00ok"}))
    assert found["texts"][found["files"][0]["text"]] == "\ufffd\ufffd\x00ok"
