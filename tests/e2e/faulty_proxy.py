"""A forward proxy on loopback between AWS clients and the emulator, which lets faults happen.

Clients are told of it by `HTTP_PROXY` or botocore's `proxies`: what they send is signed for the emulator and
passes unchanged. A rule sees each request before and says what becomes of it.
"""

import http.client
import json
import socket
import threading
from base64 import b64decode
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import urlsplit

HOP_BY_HOP = {"connection", "proxy-connection", "keep-alive", "transfer-encoding"}


class Call(NamedTuple):
    """A request: its service, its operation where the service names it, its path, its body."""

    service: str
    operation: str
    method: str
    path: str
    body: bytes


class Answer(NamedTuple):
    """What the proxy says itself."""

    status: int
    body: bytes = b"{}"
    kind: str = "application/x-amz-json-1.1"


CUT = Answer(0)
"""Not a word: the connection breaks off."""

Rule = Callable[[Call], Answer | None]
"""None lets the request through."""

UNAVAILABLE = Answer(503, b'{"__type":"ServiceUnavailableException","message":"slow down"}')
S3_UNAVAILABLE = Answer(
    503, b"<Error><Code>ServiceUnavailable</Code><Message>down</Message></Error>", "application/xml"
)


class FaultyProxy:
    """Serves until `stop`. `rule` may be changed at any time; `calls` is what came by."""

    def __init__(self) -> None:
        self.rule: Rule = lambda call: None
        self.calls: list[Call] = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                proxy.serve(self)

            do_GET = do_PUT = do_DELETE = do_HEAD = do_POST  # noqa: N815 - the server's own names

            def log_message(self, *args: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def serve(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        call = _call(request, body)
        self.calls.append(call)
        answer = self.rule(call)
        if answer is CUT:
            request.close_connection = True
            request.connection.shutdown(socket.SHUT_RDWR)
            return
        if answer is not None:
            _reply(request, answer.status, [("Content-Type", answer.kind)], answer.body)
            return
        where = urlsplit(request.path)
        onward = http.client.HTTPConnection(where.hostname or "", where.port or 80, timeout=120)
        path = where.path + (f"?{where.query}" if where.query else "")
        headers = {k: v for k, v in request.headers.items() if k.lower() not in HOP_BY_HOP | {"expect"}}
        onward.request(request.command, path, body, headers)
        with onward.getresponse() as response:
            got = response.read()
            dropped = HOP_BY_HOP | {"content-length"}
            kept = [(k, v) for k, v in response.getheaders() if k.lower() not in dropped]
            _reply(request, response.status, kept, got)
        onward.close()


def _call(request: BaseHTTPRequestHandler, body: bytes) -> Call:
    scope = request.headers.get("Authorization", "").partition("Credential=")[2].split("/")
    operation = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
    path = urlsplit(request.path).path
    return Call(scope[3] if len(scope) > 3 else "", operation, request.command, path, body)


def _reply(request: BaseHTTPRequestHandler, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
    request.send_response(status)
    for name, value in headers:
        request.send_header(name, value)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    if request.command != "HEAD":
        request.wfile.write(body)


def refuse_firehose(call: Call) -> Answer | None:
    return UNAVAILABLE if call.service == "firehose" else None


def refuse_firehose_and_s3(call: Call) -> Answer | None:
    return S3_UNAVAILABLE if call.service == "s3" else refuse_firehose(call)


class RefuseHalf:
    """Firehose takes every second record only; `firehose` is a client that does not go by the proxy."""

    def __init__(self, firehose: Any) -> None:
        self._firehose = firehose
        self._lock = threading.Lock()
        self.offered = self.refused = 0

    def __call__(self, call: Call) -> Answer | None:
        if call.operation != "PutRecordBatch":
            return None
        asked = json.loads(call.body)
        with self._lock:
            taken = [(self.offered + n) % 2 == 1 for n in range(len(asked["Records"]))]
            self.offered += len(taken)
            self.refused += taken.count(False)
        offered = zip(asked["Records"], taken, strict=True)
        records = [{"Data": b64decode(record["Data"])} for record, take in offered if take]
        done = iter(
            self._firehose.put_record_batch(DeliveryStreamName=asked["DeliveryStreamName"], Records=records)[
                "RequestResponses"
            ]
            if records
            else []
        )
        refusal = {"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "slow down"}
        answers = [next(done) if take else refusal for take in taken]
        said = {"FailedPutCount": taken.count(False), "RequestResponses": answers}
        return Answer(200, json.dumps(said).encode())
