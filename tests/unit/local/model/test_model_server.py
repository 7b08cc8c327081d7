"""The server over real sockets, with upstreams that fail in every way that they are known to."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from toolkit.contracts import MODEL_ERROR_PREFIX
from toolkit.local.model.server import ModelServer
from toolkit.local.model.upstream import endpoint

ARN = "arn:aws:bedrock:us-east-1:000000000000:application-inference-profile/abc"
QUESTION = {"model": ARN, "stream": False, "messages": [{"role": "user", "content": "hello"}]}


class Upstream(ThreadingHTTPServer):
    """Answers every POST with `status` and `body`; keeps what it was asked."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        self.status, self.body, self.hang, self.drip = 200, b"", False, False
        self.asked: list[tuple[str, dict[str, str], dict]] = []
        self.release = threading.Event()
        super().__init__(("127.0.0.1", 0), _Answer)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def says(self, document: object) -> None:
        self.body = json.dumps(document).encode()


class _Answer(BaseHTTPRequestHandler):
    server: Upstream

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, dict(self.headers), body))
        if self.server.hang:
            self.server.release.wait(30)
            return
        self.send_response(self.server.status)
        self.end_headers()
        if self.server.drip:
            while not self.server.release.wait(0.05):
                self.wfile.write(b" ")
                self.wfile.flush()
        self.wfile.write(self.server.body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    server = Upstream()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.release.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def routes(tmp_path: Path) -> Path:
    return tmp_path / "routes.json"


@pytest.fixture
def server(routes: Path) -> Iterator[ModelServer]:
    model = ModelServer(routes, upstream_timeout_s=1, api_key="sesame")
    model.start()
    yield model
    model.stop()


def reached(server: ModelServer) -> tuple[http.client.HTTPConnection, str]:
    """A connection, and the word that the address has in it."""
    found = urlsplit(server.url)
    return http.client.HTTPConnection("127.0.0.1", found.port, timeout=20), found.path


def post(
    server: ModelServer, body: object, path: str = "/v1/chat/completions", **headers: str
) -> tuple[int, dict]:
    connection, word = reached(server)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection.request("POST", word + path, raw, headers)
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer


def ask(server: ModelServer, body: object = QUESTION) -> str:
    """The content of an answer that must be a valid completion with HTTP 200."""
    status, answer = post(server, body)
    assert status == 200
    assert isinstance(answer["usage"]["prompt_tokens"], int)
    return answer["choices"][0]["message"]["content"]


def failure(server: ModelServer, body: object = QUESTION) -> str:
    """What follows the prefix; such an answer has consumed nothing."""
    _, answer = post(server, body)
    content = answer["choices"][0]["message"]["content"]
    assert content.startswith(MODEL_ERROR_PREFIX)
    assert answer["usage"]["total_tokens"] == 0
    return content.removeprefix(MODEL_ERROR_PREFIX)


def route(routes: Path, **entry: str) -> None:
    routes.write_text(json.dumps({ARN: entry}))


def message(content: object = "hi", finish: str = "stop", **more: object) -> dict:
    return {
        "choices": [{"message": {"role": "assistant", "content": content, **more}, "finish_reason": finish}]
    }


def test_the_composer_answers_behind_its_route(server: ModelServer, routes: Path) -> None:
    route(routes, kind="composer")
    assert "offline-composer" in ask(server)


def test_routes_are_read_again_when_they_change(
    server: ModelServer, routes: Path, upstream: Upstream
) -> None:
    assert f"no model is routed for {ARN}" in failure(server)
    route(routes, kind="composer")
    assert "offline-composer" in ask(server)
    upstream.says(message("from upstream"))
    route(routes, kind="openai", url=upstream.url, model="llama")
    assert ask(server) == "from upstream"
    routes.write_text("not json")
    assert "routes file" in failure(server)
    routes.unlink()
    assert "no model is routed" in failure(server)


@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/"])
def test_an_upstream_gets_its_own_model_name_and_the_key(
    server: ModelServer, routes: Path, upstream: Upstream, suffix: str
) -> None:
    upstream.says({**message(), "usage": {"prompt_tokens": 7, "completion_tokens": 2}})
    route(routes, kind="openai", url=upstream.url + suffix, model="llama3")
    _, answer = post(server, {**QUESTION, "stream": True, "max_tokens": 5})
    path, headers, asked = upstream.asked[0]
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == "Bearer sesame"
    assert asked == {**QUESTION, "model": "llama3", "stream": False, "max_tokens": 5}
    assert answer["usage"] == {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}


def test_usage_is_estimated_where_the_upstream_gives_none(
    server: ModelServer, routes: Path, upstream: Upstream
) -> None:
    upstream.says(message("x" * 400))
    route(routes, kind="openai", url=upstream.url, model="m")
    _, answer = post(server, QUESTION)
    assert answer["usage"]["completion_tokens"] >= 100
    assert answer["usage"]["prompt_tokens"] > 0


def test_tool_calls_pass_through(server: ModelServer, routes: Path, upstream: Upstream) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "read_file", "arguments": '{"path": "a"}'}}
    upstream.says(message(None, "tool_calls", tool_calls=[call]))
    route(routes, kind="openai", url=upstream.url, model="m")
    _, answer = post(server, QUESTION)
    assert answer["choices"][0]["message"]["tool_calls"] == [call]
    assert answer["choices"][0]["finish_reason"] == "tool_calls"


def call_with(**function: object) -> dict:
    return message(None, "tool_calls", tool_calls=[{"id": "1", "type": "function", "function": function}])


BAD_ANSWERS = [
    ({"error": "x"}, "without choices[0].message"),
    ([], "without choices[0].message"),
    ({"choices": []}, "without choices[0].message"),
    ({"choices": [{"message": "text"}]}, "without choices[0].message"),
    (message([{"type": "text"}]), "content that is no text"),
    (message(""), "empty answer"),
    (message("  \n"), "empty answer"),
    (message(None), "empty answer"),
    (message("cut o", "length"), "finish_reason length"),
    (message("no", "content_filter"), "finish_reason content_filter"),
    (message(None, tool_calls={"a": 1}), "tool calls of an unknown shape"),
    (message(None, tool_calls=[{"id": "1"}]), "tool calls of an unknown shape"),
    (call_with(name="", arguments="{}"), "tool calls of an unknown shape"),
    (call_with(name="f", arguments={"a": 1}), "tool f with arguments that are no JSON object"),
    (call_with(name="f", arguments='{"a": '), "tool f with arguments that are no JSON object"),
    (call_with(name="f", arguments="[1]"), "tool f with arguments that are no JSON object"),
]


@pytest.mark.parametrize(("document", "cause"), BAD_ANSWERS)
def test_a_bad_answer_becomes_a_model_error(
    server: ModelServer, routes: Path, upstream: Upstream, document: object, cause: str
) -> None:
    upstream.says(document)
    route(routes, kind="openai", url=upstream.url, model="m")
    assert cause in failure(server)


def test_a_status_is_told_with_a_short_excerpt(server: ModelServer, routes: Path, upstream: Upstream) -> None:
    upstream.status, upstream.body = 500, b"boom " * 1000
    route(routes, kind="openai", url=upstream.url, model="m")
    text = failure(server)
    assert f"the model server at {upstream.url} answered HTTP 500: boom boom" in text
    assert len(text) < 420


def test_html_is_no_answer(server: ModelServer, routes: Path, upstream: Upstream) -> None:
    upstream.body = b"<html>login</html>"
    route(routes, kind="openai", url=upstream.url, model="m")
    assert "not JSON: <html>login" in failure(server)


def test_a_refused_connection_is_told(server: ModelServer, routes: Path) -> None:
    with socket.socket() as bound:
        # Bound and not listening: nobody else can take the port, and connecting to it is refused.
        bound.bind(("127.0.0.1", 0))
        route(routes, kind="openai", url=f"http://127.0.0.1:{bound.getsockname()[1]}", model="m")
        assert "refused the connection" in failure(server)


def test_a_server_that_hangs_meets_the_time_out(
    server: ModelServer, routes: Path, upstream: Upstream
) -> None:
    upstream.hang = True
    route(routes, kind="openai", url=upstream.url, model="m")
    assert "1 second" in failure(server)


def test_a_server_that_drips_meets_the_same_time_out(
    server: ModelServer, routes: Path, upstream: Upstream
) -> None:
    upstream.drip = True
    upstream.says(message())
    route(routes, kind="openai", url=upstream.url, model="m")
    assert "did not finish its answer within 1 seconds" in failure(server)


@pytest.mark.parametrize("url", ["", "ftp://h", "http://", "http://h:port", "http://127.0.0.1:99999"])
def test_an_address_that_is_none_is_told(server: ModelServer, routes: Path, url: str) -> None:
    route(routes, kind="openai", url=url, model="m")
    assert "model server" in failure(server)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"model": 3}', b"\xff\xfe"])
def test_a_request_that_is_none_gets_a_completion_too(server: ModelServer, body: bytes) -> None:
    assert "the request" in failure(server, body)


def test_a_request_that_is_too_long_gets_a_completion_too(server: ModelServer) -> None:
    assert "exceeded 32 MiB" in failure(server, b" " * (32 * 1024 * 1024 + 1))


def test_an_answer_that_is_too_long_is_refused(
    server: ModelServer, routes: Path, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toolkit.local.model.upstream.MAX_BODY", 1000)
    upstream.body = b" " * 1001
    route(routes, kind="openai", url=upstream.url, model="m")
    assert "exceeds" in failure(server)


def test_a_failure_inside_the_composer_is_told(
    server: ModelServer, routes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(request: object) -> dict:
        raise KeyError("recipe")

    monkeypatch.setattr("toolkit.local.model.server.complete", broken)
    route(routes, kind="composer")
    assert "the local model server failed: KeyError" in failure(server)


def test_health_and_nothing_else(server: ModelServer) -> None:
    def get(path: str) -> int:
        connection, word = reached(server)
        connection.request("GET", word + path)
        status = connection.getresponse().status
        connection.close()
        return status

    assert (get("/health"), get("/"), get("/v1/models")) == (200, 404, 404)
    assert post(server, QUESTION, "/v1/completions")[0] == 404


@pytest.mark.parametrize("word", ["", "/", "/guessed", "/" + "x" * 32])
def test_who_does_not_know_the_word_spends_nobodys_key(
    server: ModelServer, routes: Path, upstream: Upstream, word: str
) -> None:
    route(routes, kind="openai", url=upstream.url, model="m")
    connection, _ = reached(server)
    connection.request("POST", f"{word}/v1/chat/completions", json.dumps(QUESTION).encode())
    assert connection.getresponse().status == 404
    connection.close()
    assert upstream.asked == []


def test_web_pages_are_kept_out(server: ModelServer, routes: Path) -> None:
    route(routes, kind="composer")
    assert post(server, QUESTION, Origin="http://evil.example")[0] == 403
    assert post(server, QUESTION, Host="evil.example")[0] == 403


def test_it_listens_on_loopback_and_stops(routes: Path, capfd: pytest.CaptureFixture[str]) -> None:
    server = ModelServer(routes)
    assert server.start() == server.start() == server.url
    assert server.url.startswith("http://127.0.0.1:")
    failure(server, {**QUESTION, "messages": [{"role": "user", "content": "top secret"}]})
    address = ("127.0.0.1", urlsplit(server.url).port)
    server.stop()
    server.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=5)
    assert capfd.readouterr() == ("", "")


def test_the_endpoint_of_a_url_in_any_spelling() -> None:
    assert {endpoint(u) for u in ("http://h", "http://h/", "http://h/v1", "http://h/v1/")} == {
        "http://h/v1/chat/completions"
    }
    assert endpoint("https://h/api/v1") == "https://h/api/v1/chat/completions"
