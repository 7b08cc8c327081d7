"""Runs as the page gets them, made without a platform: what a real run's spans look like, in any number."""

import json
from typing import Any

from toolkit.contracts import Attempt, CheckResult, FileEntry, Finding, RunResult, TraceSummary, Usage
from toolkit.traces.page import RunDetails
from toolkit.traces.query import Span
from toolkit.traces.reader import RunTrace

START_NS = 1_795_000_000 * 10**9
FILE = 'resource "aws_s3_bucket" "data" {\n  bucket_prefix = "data-"\n}\n'
DIFF = "--- /dev/null\n+++ b/s3.tf\n@@ -0,0 +1,3 @@\n" + "".join(f"+{line}\n" for line in FILE.splitlines())
SECOND_DIFF = """\
diff --git a/main.tf b/main.tf
index 1..2 100644
--- a/main.tf
+++ b/main.tf
@@ -1,3 +1,3 @@
 locals {
--- a comment of another language
+++ and another
 }
@@ -9 +9 @@
-x
\\ No newline at end of file
+y
--- /dev/null
+++ b/new.tf\t2026-11-21
@@ -0,0 +1 @@
+z
--- a/old.tf
+++ /dev/null
@@ -1 +0,0 @@
-z
"""


def summary(run_id: str = "run-00000001", **changes: Any) -> TraceSummary:
    given: dict[str, Any] = {
        "run_id": run_id,
        "trace_id": "t" * 32,
        "start": "2026-11-18T06:26:40.000Z",
        "seconds": 12.5,
        "status": "ok",
        "model": "haiku",
        "input_tokens": 8095,
        "output_tokens": 1072,
        "cost_usd": 0.0123,
        "tool_calls": 2,
        "spans": 6,
    }
    return TraceSummary(**(given | changes))


def span(number: int, name: str, parent: int = -1, at: float = 0.0, took: float = 1.0, **more: Any) -> Span:
    begin = START_NS + int(at * 1e9)
    return Span(
        f"{number:016x}",
        "" if parent < 0 else f"{parent:016x}",
        "t" * 32,
        name,
        begin,
        begin + int(took * 1e9),
        2 if "error" in more else 0,
        more.pop("error", ""),
        more,
    )


def said(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def called(name: str, arguments: dict[str, Any], call_id: str = "call_1") -> dict[str, Any]:
    part = {"type": "tool_call", "id": call_id, "name": name, "arguments": arguments}
    return {"role": "assistant", "parts": [part], "finish_reason": "tool_call"}


def answered(name: str, result: Any, call_id: str = "call_1") -> dict[str, Any]:
    part = {"type": "tool_call_response", "id": call_id, "name": name, "result": result}
    return {"role": "user", "parts": [part]}


def chat(number: int, history: list[Any], reply: list[Any], at: float, **more: Any) -> Span:
    return span(
        number,
        "chat haiku",
        1,
        at,
        **{
            "gen_ai.operation.name": "chat",
            "gen_ai.agent.name": "writer",
            "gen_ai.request.model": "haiku",
            "gen_ai.system_instructions": json.dumps([{"type": "text", "content": "You write Terraform."}]),
            "gen_ai.input.messages": json.dumps(history),
            "gen_ai.output.messages": json.dumps(reply),
            "gen_ai.usage.input_tokens": 900 * number,
            "gen_ai.usage.output_tokens": 120,
            "operation.cost": 0.0015 * number,
            **more,
        },
    )


def tool(number: int, name: str, arguments: Any, result: Any, at: float, **more: Any) -> Span:
    found = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": name,
        "gen_ai.tool.call.arguments": json.dumps(arguments),
        "gen_ai.tool.call.result": result,
    }
    return span(number, f"execute_tool {name}", 1, at, **{**found, **more})


def usual_spans(
    prompt: str = "an encrypted bucket", result: str = "written", reply: str = "Done."
) -> list[Span]:
    """A run with two model calls, a tool between them and a check: six spans."""
    write = called("write_file", {"path": "s3.tf", "content": FILE})
    history = [said("user", prompt), write, answered("write_file", result)]
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "writer"}
    return [
        span(0, "run", -1, 0, 12.5, **{"tfkit.status": "ok", "gen_ai.usage.input_tokens": 8095}),
        span(1, "invoke_agent writer", 0, 0.1, 9.0, **agent),
        chat(2, history[:1], [write], 0.2),
        tool(3, "write_file", {"path": "s3.tf", "content": FILE}, result, 1.5),
        chat(4, history, [said("assistant", reply)], 3.0),
        span(5, "validator fmt", 0, 9.5, 2.0, **{"tfkit.status": "ok", "tfkit.findings": 0}),
    ]


def usual_result(run_id: str = "run-00000001", **changes: Any) -> RunResult:
    finding = Finding(
        validator="validate",
        rule="terraform",
        severity="high",
        message="no such argument",
        file="s3.tf",
        line=2,
    )
    given: dict[str, Any] = {
        "run_id": run_id,
        "status": "ok",
        "model": "haiku",
        "prompt": "an encrypted bucket",
        "output": "Done.",
        "files": [FileEntry(path="s3.tf", sha256="0" * 64, bytes=len(FILE))],
        "attempts": [
            Attempt(
                n=1,
                tree="sha256:" + "1" * 64,
                validators={"validate": "findings"},
                findings=[finding],
                diff=DIFF,
            ),
            Attempt(
                n=2,
                tree="sha256:" + "2" * 64,
                validators={"validate": "ok", "fmt": "ok"},
                diff=SECOND_DIFF,
                seconds=4.5,
            ),
        ],
        "usage": Usage(requests=2, input_tokens=8095, output_tokens=1072, cost_usd=0.0123),
        "checks": [CheckResult(validator="fmt", status="ok")],
    }
    return RunResult(**(given | changes))


def details(run_id: str = "run-00000001", spans: list[Span] | None = None, **more: Any) -> RunDetails:
    """A run's details; `more` are the fields of RunDetails, or of the summary."""
    result = more.pop("result", usual_result(run_id))
    files = more.pop("files", {"s3.tf": FILE.encode()})
    found = usual_spans() if spans is None else spans
    return RunDetails(RunTrace(summary(run_id, spans=len(found), **more), found, True, False), result, files)
