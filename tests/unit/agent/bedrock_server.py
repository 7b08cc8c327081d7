"""A bedrock-runtime on loopback, as boto3 speaks to it: converse as JSON, converse-stream as events."""

import binascii
import json
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import boto3
from botocore.config import Config

USAGE = {"inputTokens": 100, "outputTokens": 20, "totalTokens": 120}


@dataclass
class Reply:
    """One answer of the model: contents and why it stopped. A stream can go wrong in ways of its own.

    `stop` empty leaves messageStop (and what follows it) out; `exception` is an event in its place;
    `torn` ends the connection in the middle of an event. `status` is an HTTP error before anything begins;
    `hangs` lets the answer begin when it is set, and no sooner.
    """

    text: str = ""
    tool: tuple[str, dict[str, Any]] | None = None
    stop: str = "end_turn"
    exception: str = ""
    torn: bool = False
    status: int = 200
    hangs: Event | None = None

    def body(self) -> bytes:
        content: list[dict[str, Any]] = [{"text": self.text}] if self.text else []
        if self.tool:
            content.append({"toolUse": {"toolUseId": "t1", "name": self.tool[0], "input": self.tool[1]}})
        message = {"role": "assistant", "content": content}
        return json.dumps(
            {
                "output": {"message": message},
                "stopReason": self.stop,
                "usage": USAGE,
                "metrics": {"latencyMs": 1},
            }
        ).encode()

    def events(self) -> Iterator[bytes]:
        yield event("messageStart", {"role": "assistant"})
        if self.text:
            yield event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": self.text}})
            yield event("contentBlockStop", {"contentBlockIndex": 0})
        if self.tool:
            name, arguments = self.tool
            start = {"toolUse": {"toolUseId": "t1", "name": name}}
            yield event("contentBlockStart", {"contentBlockIndex": 1, "start": start})
            delta = {"toolUse": {"input": json.dumps(arguments)}}
            yield event("contentBlockDelta", {"contentBlockIndex": 1, "delta": delta})
            yield event("contentBlockStop", {"contentBlockIndex": 1})
        if self.torn:
            yield event("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"text": "half"}})[:20]
        elif self.exception:
            yield event(self.exception, {"message": "told by the service"}, kind="exception")
        elif self.stop:
            yield event("messageStop", {"stopReason": self.stop})
            yield event("metadata", {"usage": USAGE, "metrics": {"latencyMs": 1}})


def event(name: str, payload: dict[str, Any], kind: str = "event") -> bytes:
    """A message of AWS's event-stream encoding.

    https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html (the same framing)
    """
    names = {f":{kind}-type": name, ":content-type": "application/json", ":message-type": kind}
    headers = b"".join(_header(key, value) for key, value in names.items())
    body = json.dumps(payload).encode()
    prelude = struct.pack("!II", 16 + len(headers) + len(body), len(headers))
    prelude += struct.pack("!I", binascii.crc32(prelude))
    message = prelude + headers + body
    return message + struct.pack("!I", binascii.crc32(message))


def _header(name: str, value: str) -> bytes:
    key, text = name.encode(), value.encode()
    return bytes([len(key)]) + key + b"\x07" + struct.pack("!H", len(text)) + text


@dataclass
class Bedrock:
    """The server's replies, one a request, the last one for ever; and what it was asked."""

    endpoint: str
    replies: Sequence[Reply] = ()
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def client(self) -> Any:
        """A client like the agent's own, which does not wait between its retries."""
        config = Config(retries={"mode": "standard", "total_max_attempts": 1}, read_timeout=20)
        return boto3.client(
            "bedrock-runtime",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id="key",
            aws_secret_access_key="secret",
            config=config,
        )

    @property
    def operations(self) -> list[str]:
        return [path.rpartition("/")[2] for path, _ in self.asked]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    bedrock: Bedrock

    def log_message(self, *_: Any) -> None:
        pass

    def do_POST(self) -> None:
        told = self.bedrock
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        reply = told.replies[min(len(told.asked), len(told.replies) - 1)]
        told.asked.append((self.path, body))
        if reply.hangs:
            reply.hangs.wait(60)
        if reply.status != 200:
            self._answer(b'{"message": "told by the service"}', "application/json", reply.status)
        elif self.path.endswith("/converse-stream"):
            self._stream(reply)
        else:
            self._answer(reply.body(), "application/json")

    def _answer(self, body: bytes, kind: str, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        if status == 429:
            self.send_header("x-amzn-errortype", "ThrottlingException")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, reply: Reply) -> None:
        self.send_response(200)
        self.send_header("content-type", "application/vnd.amazon.eventstream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for each in reply.events():
            self.wfile.write(b"%x\r\n%s\r\n" % (len(each), each))
        if reply.torn:
            self.close_connection = True
        else:
            self.wfile.write(b"0\r\n\r\n")


@contextmanager
def serve() -> Iterator[Bedrock]:
    """A server with a port of its own, for the time of the block."""
    told = Bedrock("")
    handler = type("Handler", (_Handler,), {"bedrock": told})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
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
