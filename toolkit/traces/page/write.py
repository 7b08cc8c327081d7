"""The page as one file: head, style, data and script, written run after run and moved into place."""

import base64
import hashlib
import os
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import IO, Any, NamedTuple

import msgspec

from toolkit.contracts import TraceSummary
from toolkit.errors import TfkitError
from toolkit.traces.page.document import RunDetails, run_document

DETAIL_BYTES = 64 * 1024 * 1024
"""After how much data no further run is told in full: a browser opens a page of this size in seconds."""

_SCRIPTS = ("base.js", "rows.js", "runs.js", "waterfall.js", "conversation.js", "attempts.js", "main.js")

_NOT_TOLD = {"detail": None, "prompt": ""}

# In JSON these stand only inside strings, where each has an escaped form that means the same. Without the
# first three no text can end the element or begin a comment in it (https://html.spec.whatwg.org/multipage/
# scripting.html#restrictions-for-contents-of-script-elements); the last two were once line ends to scripts.
_ESCAPES = tuple((char.encode(), f"\\u{ord(char):04x}".encode()) for char in "<>&\u2028\u2029")


class Written(NamedTuple):
    """The page's size in bytes, and how many of its runs are told in full."""

    size: int
    detailed: int


def write_page(
    path: Path,
    runs: Sequence[TraceSummary],
    details: Iterable[RunDetails],
    heading: str = "",
    pending: Collection[str] = frozenset(),
    now: datetime | None = None,
    detail_bytes: int = DETAIL_BYTES,
) -> Written:
    """Write the runs as a page; `details` is asked for the next run until `detail_bytes` are passed.

    `heading` says which platform and window. The file is there whole or not at all, and readable by its
    owner alone: it holds what was asked and answered. Raises TfkitError where it cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}-")  # mkstemp: mode 0600
        try:
            with os.fdopen(handle, "wb") as page:
                about = {"heading": heading, "written": f"{now or datetime.now(UTC):%Y-%m-%d %H:%M} UTC"}
                detailed = _write(page, about, runs, details, pending, detail_bytes)
                size = page.tell()
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise TfkitError(
            f"the page cannot be written to {path}: {error.strerror or error}",
            "name a file in a folder that exists and that you may write to",
        ) from error
    return Written(size, detailed)


def _write(
    page: IO[bytes],
    about: dict[str, str],
    runs: Sequence[TraceSummary],
    details: Iterable[RunDetails],
    pending: Collection[str],
    detail_bytes: int,
) -> int:
    head, body, end = _shell()
    page.write(head + body)
    told: dict[str, dict[str, Any]] = {}
    for number, document in enumerate(_until_full(details, page, detail_bytes)):
        _data(page, f"detail-{number}", document)
        told[document["run_id"]] = {"detail": number, "prompt": document["prompt"]}
    rows = [
        {**msgspec.to_builtins(run), "pending": run.run_id in pending, **told.get(run.run_id, _NOT_TOLD)}
        for run in runs
    ]
    _data(page, "runs", {**about, "runs": rows})
    page.write(end)
    return len(told)


def _shell() -> tuple[bytes, bytes, bytes]:
    """The page around its data: the head with the style, the body, and the script with the end."""
    style, script = _asset("page.css"), _script()
    html = _asset("page.html").replace(b"STYLE_HASH", _hash(style)).replace(b"SCRIPT_HASH", _hash(script))
    head, body, end = html.split(b"<!-- here -->\n")
    return head + b"<style>" + style + b"</style>\n", body, b"<script>" + script + b"</script>\n" + end


def _until_full(
    details: Iterable[RunDetails], page: IO[bytes], detail_bytes: int
) -> Iterator[dict[str, Any]]:
    for one in details:
        yield run_document(one)
        if page.tell() >= detail_bytes:
            return


def _data(page: IO[bytes], name: str, value: object) -> None:
    """An element that holds data: of a type that is no script's, so nothing in it is ever executed."""
    page.write(f'<script type="application/json" id="{name}">'.encode() + embedded(value) + b"</script>\n")


def embedded(value: object) -> bytes:
    """The value as JSON that is safe inside an element, whatever its texts hold."""
    encoded = msgspec.json.encode(value)
    for char, escape in _ESCAPES:
        encoded = encoded.replace(char, escape)
    return encoded


def _asset(name: str) -> bytes:
    return (files("toolkit.traces.page") / "assets" / name).read_bytes()


def _script() -> bytes:
    """All scripts in one function, so that they leave no name behind in the window."""
    return b'(() => {\n"use strict";\n' + b"\n".join(_asset(name) for name in _SCRIPTS) + b"})();\n"


def _hash(text: bytes) -> bytes:
    """What a content security policy calls an inline element: https://www.w3.org/TR/CSP3/#grammardef-hash-source"""
    return b"sha256-" + base64.b64encode(hashlib.sha256(text).digest())
