"""The one way in which the image's pins reach the network: HTTPS from end to end, and never past a limit.

What is pinned is trusted because its publisher said it over TLS, so no step of the way may be plain HTTP:
neither an address that somebody named, nor one that a server redirects to.
"""

import http.client
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from email.message import Message
from typing import IO, NamedTuple

from typing_extensions import override

from toolkit.errors import DeployFailed

TIMEOUT_SECONDS = 60.0
MAX_BYTES = 256 * 1024 * 1024
HINT = (
    "go online (behind a proxy: set HTTPS_PROXY), or name a file of pins that are filled in"
    " with the setting image_pins"
)


class Answer(NamedTuple):
    """A server's answer, whatever its status; names of headers are found in any case."""

    status: int
    headers: Message
    body: bytes


class _HttpsOnly(urllib.request.HTTPRedirectHandler):
    @override
    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        _require_https(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def get(url: str, headers: Mapping[str, str] | None = None, limit: int = MAX_BYTES) -> Answer:
    """The answer to a GET, after redirects; `limit` is in bytes of its body.

    A header `Authorization` goes to the named server alone, not to where that redirects.
    Raises `DeployFailed` where there is none, and for one that is longer or not over HTTPS.
    """
    _require_https(url)
    request = urllib.request.Request(url)  # noqa: S310 - https, see above
    for name, value in (headers or {}).items():
        add = request.add_unredirected_header if name == "Authorization" else request.add_header
        add(name, value)
    context = ssl.create_default_context()
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), _HttpsOnly)
    try:
        with opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
            body = bytes(answer.read(limit + 1))
            found = Answer(answer.status, answer.headers, body)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return Answer(refusal.code, refusal.headers, b"")
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise DeployFailed(f"{url} cannot be read: {reason}", HINT) from error
    if len(body) > limit:
        raise DeployFailed(f"{url} is longer than {limit} bytes")
    return found


def read(url: str, limit: int = MAX_BYTES) -> bytes:
    """The content at an address. Raises `DeployFailed` for any other answer than 200."""
    answer = get(url, limit=limit)
    if answer.status != 200:
        raise DeployFailed(f"{url} cannot be read: the server says {answer.status}", HINT)
    return answer.body


def _require_https(url: str) -> None:
    if urllib.parse.urlsplit(url).scheme != "https":
        raise DeployFailed(f"{url} is not over HTTPS, so nothing is taken from there")
