"""A user's own model behind `--llm`: it works, and whatever it does wrong is never taken for an answer."""

import json
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from driver import Tfkit

Answer = Callable[["Handler", dict[str, Any]], None]

MAIN = """terraform {
  required_version = ">= 1.6"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}

resource "aws_sqs_queue" "orders" {
  name = "orders"
}
"""


class Handler(BaseHTTPRequestHandler):
    """Answers as the test of the moment says."""

    def log_message(self, *_: Any) -> None:
        pass

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.answer(self, request)  # type: ignore[attr-defined]

    def reply(self, status: int, body: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def message(self, finish: str = "stop", **message: Any) -> None:
        choice = {"message": {"role": "assistant", "content": None, **message}, "finish_reason": finish}
        self.reply(
            200,
            json.dumps({"choices": [choice], "usage": {"prompt_tokens": 5, "completion_tokens": 3}}).encode(),
        )


@pytest.fixture(scope="module")
def upstream() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


@pytest.fixture(scope="module")
def tfkit(home: Path, upstream: ThreadingHTTPServer) -> Tfkit:
    command = Tfkit(home, TFKIT_LLM_TIMEOUT_S="3", TFKIT_LLM_API_KEY="sk-test-0123456789")
    command.json("up", "--llm", f"http://127.0.0.1:{upstream.server_port}/v1", "--llm-model", "my-model:7b")
    return command


def call(name: str, **arguments: Any) -> dict[str, Any]:
    return {"id": name, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}


def test_a_model_of_the_users_own_is_the_default_and_its_files_pass_the_gate(
    tfkit: Tfkit, upstream: ThreadingHTTPServer
) -> None:
    seen: list[str | None] = []

    def answer(handler: Handler, request: dict[str, Any]) -> None:
        seen.append(handler.headers["authorization"])
        assert request["model"] == "my-model:7b"
        if request["messages"][-1]["role"] == "tool":
            handler.message(content="One queue.")
        else:
            handler.message(tool_calls=[call("write_file", path="main.tf", content=MAIN)])

    upstream.answer = answer  # type: ignore[attr-defined]
    result = tfkit.json("ask", "a queue named orders", "-o", "own")
    assert result["status"] == "ok" and result["model"] == "my-model:7b"
    assert result["usage"] == {"requests": 2, "input_tokens": 10, "output_tokens": 6, "cost_usd": None}
    assert not any("offline-composer" in point for point in result["not_proven"])
    assert (tfkit.home / "own" / "main.tf").read_text() == MAIN
    assert set(seen) == {"Bearer sk-test-0123456789"}


def test_the_key_of_the_model_is_nowhere_on_disk(tfkit: Tfkit) -> None:
    for file in tfkit.home.rglob("*"):
        if file.is_file():
            assert b"sk-test-0123456789" not in file.read_bytes(), file
    environment = Path(f"/proc/{tfkit.running().pid}/environ").read_bytes()
    assert b"sk-test" not in environment


def hang(handler: Handler, request: dict[str, Any]) -> None:
    Event().wait(30)


def drip(handler: Handler, request: dict[str, Any]) -> None:
    handler.send_response(200)
    handler.send_header("content-length", "1000000")
    handler.end_headers()
    for _ in range(60):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.5)


BAD: dict[str, tuple[Answer, str]] = {
    "hanging": (hang, "did not finish its answer within 3"),
    "dripping": (drip, "did not finish its answer within 3"),
    "an error": (lambda h, r: h.reply(500, b'{"error": "out of memory"}'), "out of memory"),
    "a page": (lambda h, r: h.reply(200, b"<html>login</html>", "text/html"), "JSON"),
    "no choices": (lambda h, r: h.reply(200, b'{"choices": []}'), "choices"),
    "nothing": (lambda h, r: h.message(content=""), "empty"),
    "cut off": (lambda h, r: h.message(content="resource", finish="length"), "limit"),
    "broken call": (
        lambda h, r: h.message(
            tool_calls=[
                {"id": "1", "type": "function", "function": {"name": "write_file", "arguments": "{oops"}}
            ]
        ),
        "argument",
    ),
    "the emulator's mock": (
        lambda h, r: h.message(content="[ministack mock generic x] reply for prompt#0123abcd"),
        "no model answered",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_answer_ends_the_run_as_error_and_names_the_cause(
    tfkit: Tfkit, upstream: ThreadingHTTPServer, kind: str
) -> None:
    upstream.answer, cause = BAD[kind]  # type: ignore[attr-defined]
    result = tfkit.json("ask", "a queue", code=1)
    assert result["status"] == "error"
    assert cause in result["error"], result["error"]
    rows = {row["run_id"]: row for row in tfkit.json("traces", "--errors")}
    assert rows[result["run_id"]]["status"] == "error"


def test_a_killed_server_ends_the_run_as_error(tfkit: Tfkit, upstream: ThreadingHTTPServer) -> None:
    upstream.shutdown()
    upstream.server_close()
    result = tfkit.json("ask", "a queue", code=1)
    assert result["status"] == "error" and "refused" in result["error"]
    back = tfkit.json("ask", "a queue named orders", "-m", "offline-composer", "-o", "composer")
    assert back["status"] == "ok"
