"""Forwards a chat completion to a real OpenAI-compatible endpoint, and believes nothing it answers.

`forward` returns a clean completion or raises `UpstreamFailed` with one plain sentence.
"""

import contextlib
import http.client
import queue
import ssl
import threading
import urllib.parse
from typing import NamedTuple

import msgspec

from toolkit.local.model.completion import Json, completion, estimate

MAX_BODY = 32 * 1024 * 1024
EXCERPT = 300


class UpstreamFailed(Exception):
    """The endpoint gave nothing that may be passed on as a model's answer; the text says why."""


class Upstream(NamedTuple):
    """Where to forward to: the endpoint's base URL, the model's name there, and a key that may be empty."""

    url: str
    model: str
    api_key: str = ""


def forward(request: dict[str, Json], upstream: Upstream, timeout_s: float) -> dict[str, Json]:
    """The endpoint's completion for `request`, checked and rebuilt from the parts that were understood."""
    body = msgspec.json.encode({**request, "model": upstream.model, "stream": False})
    status, answer = _Exchange(upstream, body, timeout_s).run()
    if status != 200:
        raise UpstreamFailed(f"the model server at {upstream.url} answered HTTP {status}: {_excerpt(answer)}")
    try:
        document = msgspec.json.decode(answer)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise UpstreamFailed(
            f"the model server at {upstream.url} answered something that is not JSON: {_excerpt(answer)}"
        ) from None
    return _checked(document, request, upstream)


def endpoint(url: str) -> str:
    """The chat-completions address for a base URL given with or without `/v1` or a closing slash."""
    base = url.rstrip("/")
    return base + ("" if base.endswith("/v1") else "/v1") + "/chat/completions"


class _Exchange:
    """One HTTP request in a thread of its own, so that the deadline holds for the whole answer.

    Socket time-outs count from the last byte; a server that drips one byte a second would never meet them.
    """

    def __init__(self, upstream: Upstream, body: bytes, timeout_s: float) -> None:
        self._upstream = upstream
        self._body = body
        self._timeout_s = timeout_s
        self._outcome: queue.Queue[tuple[int, bytes] | UpstreamFailed] = queue.Queue()
        self._connection = self._connect()

    def run(self) -> tuple[int, bytes]:
        """Status and body, or `UpstreamFailed` at the deadline at the latest."""
        threading.Thread(target=self._work, name="tfkit-model-upstream", daemon=True).start()
        try:
            outcome = self._outcome.get(timeout=self._timeout_s)
        except queue.Empty:
            self._abandon()
            raise UpstreamFailed(
                f"the model server at {self._upstream.url} did not finish its answer"
                f" within {self._timeout_s:g} seconds"
            ) from None
        if isinstance(outcome, UpstreamFailed):
            raise outcome
        return outcome

    def _connect(self) -> http.client.HTTPConnection:
        """A connection object for the address; nothing is sent yet."""
        parts = urllib.parse.urlsplit(self._upstream.url)
        try:
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if parts.scheme not in ("http", "https") or not host:
            raise UpstreamFailed(f"the address of the model server, {self._upstream.url}, is no http(s) URL")
        if parts.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(host, port, timeout=self._timeout_s, context=context)
        return http.client.HTTPConnection(host, port, timeout=self._timeout_s)

    def _work(self) -> None:
        """Runs in the thread: the exchange, then its outcome into the queue, whatever happens."""
        try:
            self._outcome.put(self._exchange())
        except UpstreamFailed as failure:
            self._outcome.put(failure)
        except ConnectionRefusedError:
            self._outcome.put(
                UpstreamFailed(
                    f"the model server at {self._upstream.url} refused the connection: is it running?"
                )
            )
        except TimeoutError:
            self._outcome.put(
                UpstreamFailed(
                    f"the model server at {self._upstream.url} was silent for {self._timeout_s:g} seconds"
                )
            )
        except (OSError, http.client.HTTPException, ValueError, AttributeError) as error:
            # AttributeError: http.client loses its socket when the deadline closes it in mid-read.
            reason = str(error) or type(error).__name__
            self._outcome.put(
                UpstreamFailed(f"the exchange with the model server at {self._upstream.url} failed: {reason}")
            )
        finally:
            self._connection.close()

    def _exchange(self) -> tuple[int, bytes]:
        """Send, and read the whole answer up to the limit."""
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._upstream.api_key:
            headers["Authorization"] = f"Bearer {self._upstream.api_key}"
        path = urllib.parse.urlsplit(endpoint(self._upstream.url)).path
        self._connection.request("POST", path, self._body, headers)
        response = self._connection.getresponse()
        answer = response.read(MAX_BODY + 1)
        if len(answer) > MAX_BODY:
            raise UpstreamFailed(f"the answer of the model server at {self._upstream.url} exceeds 32 MiB")
        return response.status, answer

    def _abandon(self) -> None:
        """Wake the thread out of its read, so that it ends instead of waiting for a server that hangs."""
        sock = self._connection.sock
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(2)


def _checked(document: Json, request: dict[str, Json], upstream: Upstream) -> dict[str, Json]:
    """The completion in our own words, or `UpstreamFailed` naming the first thing that does not fit."""
    where = f"the model server at {upstream.url}"
    choices = document.get("choices") if isinstance(document, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise UpstreamFailed(f"{where} answered JSON without choices[0].message")
    finish = choice.get("finish_reason")
    if finish in ("length", "content_filter"):
        cause = "cut its answer off at its token limit" if finish == "length" else "filtered its answer"
        raise UpstreamFailed(f"{where} {cause} (finish_reason {finish})")
    text = message.get("content")
    if text is not None and not isinstance(text, str):
        raise UpstreamFailed(f"{where} answered with a message content that is no text")
    calls = _tool_calls(message.get("tool_calls"), where)
    if not calls and not (text or "").strip():
        raise UpstreamFailed(f"{where} gave an empty answer: no text and no tool call")
    prompt_tokens, completion_tokens = _usage(document, request, message)
    return completion(upstream.model, text, calls, prompt_tokens, completion_tokens)


def _tool_calls(value: Json, where: str) -> list[Json]:
    """The tool calls, each of the one known shape with arguments that are a JSON object."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise UpstreamFailed(f"{where} answered with tool calls of an unknown shape")
    calls: list[Json] = []
    for number, call in enumerate(value):
        function = call.get("function") if isinstance(call, dict) else None
        name = function.get("name") if isinstance(function, dict) else None
        if (
            not isinstance(call, dict)
            or not isinstance(function, dict)
            or not isinstance(name, str)
            or not name
        ):
            raise UpstreamFailed(f"{where} answered with tool calls of an unknown shape")
        arguments = function.get("arguments")
        if not isinstance(arguments, str) or not _is_object(arguments):
            raise UpstreamFailed(
                f"{where} called the tool {name[:60]} with arguments that are no JSON object"
            )
        identifier = call.get("id")
        if identifier is not None and not isinstance(identifier, str):
            raise UpstreamFailed(f"{where} answered with a tool call whose id is no text")
        calls.append(
            {
                "id": identifier or f"call_{number}",
                "type": "function",
                "function": {"name": name, "arguments": arguments},
            }
        )
    return calls


def _is_object(text: str) -> bool:
    """Whether the text is one JSON object."""
    try:
        return isinstance(msgspec.json.decode(text), dict)
    except msgspec.DecodeError:
        return False


def _usage(document: Json, request: dict[str, Json], message: dict[str, Json]) -> tuple[int, int]:
    """The token counts that the endpoint gave, or an estimate where it gave none."""
    usage = document.get("usage") if isinstance(document, dict) else None
    if isinstance(usage, dict):
        prompt, answer = usage.get("prompt_tokens"), usage.get("completion_tokens")
        if type(prompt) is int and type(answer) is int and prompt >= 0 and answer >= 0:
            return prompt, answer
    return estimate(request.get("messages")) + estimate(request.get("tools")), estimate(message)


def _excerpt(body: bytes) -> str:
    """The start of a body on one line."""
    text = " ".join(body[: 4 * EXCERPT].decode(errors="replace").split())
    return text[:EXCERPT] or "(an empty body)"
