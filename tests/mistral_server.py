"""Mistral's API on loopback, as its SDK speaks to it: chat completions and the list of models."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

USAGE = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}


@dataclass
class Said:
    """One answer: a text or a tool call. `status` refuses before it begins; `torn` ends in the middle."""

    text: str = ""
    tool: tuple[str, dict[str, Any]] | None = None
    finish: str = "stop"
    status: int = 200
    retry_after: str = ""
    torn: bool = False

    @property
    def body(self) -> bytes:
        message: dict[str, Any] = {"role": "assistant", "content": self.text}
        if self.tool:
            function = {"name": self.tool[0], "arguments": json.dumps(self.tool[1])}
            message["tool_calls"] = [{"id": "abcdefghi", "type": "function", "function": function}]
        finish = "tool_calls" if self.tool else self.finish
        return json.dumps(
            {
                "id": "1",
                "object": "chat.completion",
                "created": 1,
                "model": "mistral-large-2512",
                "choices": [{"index": 0, "message": message, "finish_reason": finish}],
                "usage": USAGE,
            }
        ).encode()


@dataclass
class Mistral:
    """The server's answers, one a request, the last one for ever; and what it was asked, and by which key."""

    endpoint: str = ""
    answers: Sequence[Said] = ()
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    models: Sequence[str] = ("mistral-large-2512",)
    accepts: str = ""


def ids(asked: dict[str, Any]) -> list[str]:
    """The ids of the tool calls of a request, and of their results."""
    messages = asked["messages"]
    calls = [call["id"] for message in messages for call in message.get("tool_calls") or ()]
    return calls + [message["tool_call_id"] for message in messages if message["role"] == "tool"]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    told: Mistral

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        key = self._key()
        if self.path != "/v1/models":
            self._answer(404, b"{}")
        elif self.told.accepts and key != self.told.accepts:
            self._answer(401, b'{"detail": "Unauthorized"}')
        else:
            offered = [{"id": name, "aliases": [f"{name}-alias"]} for name in self.told.models]
            self._answer(200, json.dumps({"object": "list", "data": offered}).encode())

    def do_POST(self) -> None:
        self._key()
        assert self.path == "/v1/chat/completions", self.path
        said = self.told.answers[min(len(self.told.asked), len(self.told.answers) - 1)]
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.told.asked.append(asked)
        if wrong := [name for name in ids(asked) if not re.fullmatch("[a-zA-Z0-9]{9}", name)]:
            why = f"Tool call id was {wrong[0]} but must be a-z, A-Z, 0-9, with a length of 9."
            self._answer(400, json.dumps({"message": why, "code": "3280"}).encode())
        elif said.status != 200:
            headers = {"retry-after": said.retry_after} if said.retry_after else {}
            self._answer(said.status, b'{"message": "told by the service"}', headers)
        elif said.torn:
            self._answer(200, said.body, torn=True)
        else:
            self._answer(200, said.body)

    def _key(self) -> str:
        key = self.headers.get("authorization", "").removeprefix("Bearer ")
        self.told.keys.append(key)
        return key

    def _answer(
        self, status: int, body: bytes, headers: dict[str, str] | None = None, *, torn: bool = False
    ) -> None:
        self.send_response(status)
        for name, value in {"content-type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if torn else body)
        self.close_connection = torn


@contextmanager
def serve_mistral() -> Iterator[Mistral]:
    """A server with a port of its own, for the time of the block."""
    told = Mistral()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"told": told}))
    server.daemon_threads = True
    told.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
