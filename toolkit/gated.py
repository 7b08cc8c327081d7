"""MiniStack behind a gate: only who holds this emulator's root key, or a key that it issued, is let through.

    python -P -m toolkit.gated       (started by `toolkit.emulator`, the root key as JSON on standard input)

By itself MiniStack takes `test`, any 12 digits and no key at all for its root user, checks no signature of
root's, lets anybody wipe it (`POST /_ministack/reset`), answers web pages of any origin, and runs functions
as the user who started it. On a machine with other users, or with a browser, that is remote code execution.
So a request has to pass these, in this process and before MiniStack sees it:

    Host            127.0.0.1 or localhost with our port: a name that was rebound to loopback is another
    Origin, Fetch   none: those are web pages (https://www.w3.org/TR/fetch-metadata/)
    path            nothing below `/_` but the health look-ups, which tell nothing and need no key
    Authorization   one Signature Version 4 header, by a key that is known here, in time, and right
                    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html)

Presigned addresses, version 2 signatures and web sockets are refused: nothing of tfkit uses them. The form of
the header is matched as a whole, so that MiniStack cannot read another key out of it than was checked here.

The root key lives in this process's memory only. In its environment functions would inherit it. They get
credentials of their role; MiniStack makes these by hashing public names, and here a random number as well.

It is no boundary between functions and the user: they run as the user, who may read `daemon.json`.
"""

import json
import os
import re
import secrets
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qs, quote
from xml.sax.saxutils import escape

from ministack import app as ministack
from ministack.core import iam_evaluator, lambda_runtime, responses, sigv4
from ministack.services import ec2

from toolkit.public_images import make_known

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]
SecretOf = Callable[[str, str], str | None]
"""The secret of an access key that comes with a session token (empty for none); None if it is unknown."""

HEALTH = ("/_localstack/health", "/_ministack/health")

_QUERY_KEYS = {"x-amz-algorithm", "x-amz-credential", "x-amz-signature", "awsaccesskeyid"}
_SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=[A-Z0-9]{16,128}/[0-9]{8}/[a-z0-9-]+/[a-z0-9-]+/aws4_request, ?"
    r"SignedHeaders=[a-z0-9;._-]+, ?Signature=[0-9a-f]{64}"
)


class Refused(Exception):
    """A request that is not let through; the text says why."""


class Gate:
    """The ASGI app in front of MiniStack's, which listens on `port`."""

    def __init__(self, app: App, port: int, secret_of: SecretOf) -> None:
        self._app = app
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._secret_of = secret_of

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Let the request through, or answer 403 with the reason."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
        else:
            try:
                receive = await self._admitted(scope, receive)
            except Refused as reason:
                await _refuse(scope, send, str(reason))
            else:
                await self._app(scope, receive, send)

    async def _admitted(self, scope: Message, receive: Receive) -> Receive:
        """What MiniStack receives the body from. Raises `Refused`."""
        headers = _headers(scope)
        if headers.get("host") not in self._hosts:
            raise Refused("the Host is not this emulator's address")
        if "origin" in headers or headers.get("sec-fetch-site", "none") != "none":
            raise Refused("web pages have no business here")
        if scope["path"].startswith("/_"):
            if scope["path"] in HEALTH and scope["method"] in ("GET", "HEAD"):
                return receive
            raise Refused("the emulator's own paths are closed")
        return await self._verified(scope, headers, receive)

    async def _verified(self, scope: Message, headers: Mapping[str, str], receive: Receive) -> Receive:
        query = _query(scope)
        if not _SIGNED.fullmatch(headers.get("authorization", "")):
            raise Refused(
                "it is not signed by a key of this emulator (Signature Version 4, one Authorization header)"
            )
        signature = sigv4.parse_header_signature(headers)
        if isinstance(signature, tuple):
            raise Refused(signature[1])
        # The key first: nobody else makes us keep a body.
        secret = self._secret_of(signature.access_key_id, headers.get("x-amz-security-token", ""))
        if secret is None:
            raise Refused("this access key is not one of this emulator's")
        if late := sigv4.request_time_failure(signature):
            raise Refused(late[1])
        body = b""
        if not headers.get("x-amz-content-sha256"):  # then the signature is over the body itself
            body, receive = await _read(receive)
        path = (scope.get("raw_path") or quote(scope["path"]).encode()).decode("latin-1")
        wrong = sigv4.header_signature_failure(signature, secret, scope["method"], path, query, headers, body)
        if wrong:
            raise Refused(wrong[1])
        return receive


def _headers(scope: Message) -> dict[str, str]:
    """By lower-case name; a header that came twice is joined by a comma, as it is signed."""
    found: dict[str, str] = {}
    for raw, value in scope["headers"]:
        name, text = raw.decode("latin-1").lower(), sigv4.decode_header_value(value)
        found[name] = f"{found[name]},{text}" if name in found else text
    return found


def _query(scope: Message) -> dict[str, list[str]]:
    """The query, decoded as MiniStack does. Raises `Refused` where it carries a key or is not UTF-8."""
    try:
        query = parse_qs(scope["query_string"].decode("utf-8"), keep_blank_values=True)
    except ValueError as error:
        raise Refused("the query is not UTF-8") from error
    if any(name.lower() in _QUERY_KEYS for name in query):
        raise Refused("a key in the query is not accepted")
    return query


async def _read(receive: Receive) -> tuple[bytes, Receive]:
    """The whole body, and something that hands it out again. Raises `Refused` when the caller has gone."""
    chunks: list[bytes] = []
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise Refused("the request ended before its body")
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    body = b"".join(chunks)
    again = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def replay() -> Message:
        return next(again, None) or await receive()

    return body, replay


async def _refuse(scope: Message, send: Send, reason: str) -> None:
    """Answer 403, in the form that the caller's AWS client reads."""
    text = f"refused by tfkit's gate: {reason}"
    if "json" in _headers(scope).get("content-type", ""):
        body = json.dumps({"__type": "AccessDenied", "message": text})
    else:
        error = f"<Error><Code>AccessDenied</Code><Message>{escape(text)}</Message></Error>"
        body = f"<ErrorResponse>{error}</ErrorResponse>"
    headers = [
        (b"content-type", b"application/json" if body[0] == "{" else b"text/xml"),
        (b"content-length", str(len(body.encode())).encode()),
        (b"x-amzn-errortype", b"AccessDenied"),
    ]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body.encode()})


def _secrets(root_key: str, root_secret: str) -> SecretOf:
    """Root's secret, and those of the sessions and users that MiniStack knows at the moment."""

    def secret_of(key: str, token: str) -> str | None:
        if key == root_key:
            return None if token else root_secret
        account = responses._account_from_sts_session(key)  # it has no public one
        found = iam_evaluator.resolve_credential(key, account, token)
        return found.secret_access_key if isinstance(found, iam_evaluator.ResolvedCredential) else None

    return secret_of


def _make_root(root_key: str) -> None:
    """Let MiniStack take the key for its root user's, as it does with `test`, which comes through no more."""
    known = iam_evaluator.is_root_access_key

    def is_root(access_key_id: str) -> bool:
        return access_key_id == root_key or known(access_key_id)

    iam_evaluator.is_root_access_key = is_root


def _make_functions_keys_random() -> None:
    """Functions' credentials are a hash of their and their role's ARN; whoever guesses these has them."""
    known, salt = lambda_runtime.execution_credentials, secrets.token_hex(32)

    def salted(config: dict[str, Any]) -> dict[str, str]:
        return known({**config, "FunctionArn": f"{config['FunctionArn']}:{salt}"})

    lambda_runtime.execution_credentials = salted


_STARTS = ("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn")


_UNPACKS = ("tempfile.mkdtemp", "tempfile.mkstemp")


def _keep_to_itself(port: int) -> None:
    """Refuse every start of a process, every way out, and unpacking: what a rehearsal makes is a model's.

    Landlock holds it to the one port, but on any host; here it is held to loopback as well.
    https://docs.python.org/3/library/audit_events.html
    """

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _STARTS:
            raise PermissionError(f"{event}: nothing is started in a rehearsal")
        if event in _UNPACKS:
            raise PermissionError(f"{event}: nothing is unpacked in a rehearsal")
        if event == "socket.connect" and tuple(arguments[1][:2]) != ("127.0.0.1", port):
            raise PermissionError("nothing outside is reached from a rehearsal")

    sys.addaudithook(refuse)


def _end_with_the_pipe() -> None:
    """Whoever started a rehearsal's emulator holds the other end, and is gone when it closes."""
    sys.stdin.read()
    os._exit(0)


def main() -> None:
    """Serve until SIGTERM; the port and all else come from the environment, as MiniStack has it."""
    given = json.loads(sys.stdin.readline())
    port = int(ministack._resolve_port())  # its own reading of the environment
    if given["alone"]:
        threading.Thread(target=_end_with_the_pipe, daemon=True).start()
        _keep_to_itself(port)
    _make_root(given["key"])
    make_known(ec2)
    _make_functions_keys_random()  # before MiniStack loads the module of functions, which copies the name
    ministack.app = Gate(ministack.app, port, _secrets(given["key"], given["secret"]))
    sys.argv = ["ministack"]
    ministack.main()


if __name__ == "__main__":
    main()
