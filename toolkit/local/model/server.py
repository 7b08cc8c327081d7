"""The chat-completions server: loopback only, always answers, never logs what it carries.

Its address has a random word in it, which this user's processes alone are told: whoever else finds the port
must not spend the user's key.

THE RULE: `POST …/v1/chat/completions` answers HTTP 200 with a valid completion whatever happens, because
the emulator puts a canned text in place of any other answer. A failure travels inside the completion.
"""

import hmac
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import msgspec
from typing_extensions import override

from toolkit.local.model.completion import Json, model_error
from toolkit.local.model.composer import complete
from toolkit.local.model.routes import Routes
from toolkit.local.model.upstream import MAX_BODY, Upstream, UpstreamFailed, forward


class ModelServer:
    """Serves the models named in `routes_file` on a port of 127.0.0.1 that the system chooses.

    `upstream_timeout_s` bounds one whole answer of a real endpoint; keep it below the emulator's own limit.
    """

    def __init__(self, routes_file: Path, upstream_timeout_s: float = 120, api_key: str = "") -> None:
        self._routes = Routes(routes_file)
        self._timeout_s = upstream_timeout_s
        self._api_key = api_key
        self._http: _Server | None = None
        self._word = "/" + secrets.token_urlsafe(24)

    @property
    def url(self) -> str:
        """The base address, without `/v1`, as the emulator wants it; empty before `start`."""
        return f"http://127.0.0.1:{self._http.server_address[1]}{self._word}" if self._http else ""

    def asked(self, path: str) -> str:
        """What is asked for below our own address; empty for a path that has another word in it."""
        word, rest = path[: len(self._word)], path[len(self._word) :]
        return rest if hmac.compare_digest(word.encode(), self._word.encode()) else ""

    def start(self) -> str:
        """Listen and serve in a daemon thread; the address."""
        if self._http is None:
            self._http = _Server(self)
            threading.Thread(
                target=self._http.serve_forever, args=(0.05,), name="tfkit-model", daemon=True
            ).start()
        return self.url

    def stop(self) -> None:
        """Stop listening; answers that are under way are given up."""
        if self._http is not None:
            self._http.shutdown()
            self._http.server_close()
            self._http = None

    def answer(self, body: bytes | None) -> dict[str, Json]:
        """The completion for a request body; None stands for one that was refused for its size."""
        if body is None:
            return model_error("", "the request had no length or exceeded 32 MiB")
        try:
            request = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return model_error("", "the request was not JSON")
        profile = request.get("model") if isinstance(request, dict) else None
        if not isinstance(profile, str):
            return model_error("", "the request was no JSON object that names a model")
        try:
            return self._dispatch(profile, request)
        except UpstreamFailed as failure:
            return model_error(profile, str(failure))
        except Exception as error:  # noqa: BLE001 - any other answer would become the emulator's mock
            return model_error(profile, f"the local model server failed: {type(error).__name__}: {error}")

    def _dispatch(self, profile: str, request: dict[str, Json]) -> dict[str, Json]:
        """Let whoever stands behind the profile answer."""
        route = self._routes.find(profile)
        if route is None:
            raise UpstreamFailed(f"no model is routed for {profile}; `tfkit up` writes the routes")
        if route.kind == "composer":
            return complete(request)
        upstream = Upstream(route.url, route.model, self._api_key)
        return forward(request, upstream, self._timeout_s)


class _Server(ThreadingHTTPServer):
    """The standard server, bound to loopback, that does not wait for its threads when it closes."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, owner: ModelServer) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", 0), _Handler)

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news; a traceback could show what it carried."""


class _Handler(BaseHTTPRequestHandler):
    """Two addresses: the completions and the health check."""

    timeout: ClassVar[int] = 60

    def do_GET(self) -> None:
        """The health check."""
        if self._from_browser():
            self._send(403, {"error": "not for browsers"})
        elif self._asked() == "/health":
            self._send(200, {"status": "ok"})
        else:
            self._send(404, {"error": "not found"})

    def do_POST(self) -> None:
        """A chat completion."""
        body = self._body()
        if self._from_browser():
            self._send(403, {"error": "not for browsers"})
        elif self._asked() == "/v1/chat/completions":
            self._send(200, self._owner.answer(body))
        else:
            self._send(404, {"error": "not found"})

    @property
    def _owner(self) -> ModelServer:
        assert isinstance(self.server, _Server)
        return self.server.owner

    def _asked(self) -> str:
        return self._owner.asked(self.path)

    def _from_browser(self) -> bool:
        """Whether a web page is behind it: it names an origin, or reached us by a foreign host name."""
        host = self.headers.get("Host", "127.0.0.1").rsplit(":", 1)[0]
        return "Origin" in self.headers or host not in ("127.0.0.1", "localhost")

    def _body(self) -> bytes | None:
        """The request's body; one that is too long is read and thrown away, so that the answer arrives."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            return None
        left = int(length)
        if left <= MAX_BODY:
            return self.rfile.read(left)
        while left > 0 and (chunk := self.rfile.read(min(left, 1 << 20))):
            left -= len(chunk)
        return None

    def _send(self, status: int, document: dict[str, Json]) -> None:
        """One JSON document as the answer."""
        body = msgspec.json.encode(document)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged: requests carry prompts and code."""
