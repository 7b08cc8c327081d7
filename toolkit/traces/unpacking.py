"""The bodies of objects as lines of plain text, in bounded memory, unpacked by a thread of its own.

Unpacking gives the interpreter free, so it goes on beside the decoding of what was unpacked before. An object
may be of any size; what is held of it is a piece of `PIECE` bytes and at most one line that is not whole yet.
"""

import queue
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager

from toolkit.telemetry.restore import GZIP

PIECE = 4 * 1024 * 1024
"""Bytes that are unpacked at a time."""

LONGEST_LINE = 32 * 1024 * 1024
"""Bytes. Firehose takes no record above 1,000 KiB; what is so long was put there by somebody else."""

_AHEAD = 3


def pieces(body: bytes) -> Iterator[bytes]:
    """The plain text in pieces that end with a line; gzip is told by its first bytes.

    Raises ValueError when it is damaged, or has a line that is too long.
    """
    carry = b""
    for piece in _unpack(body):
        whole = piece.rfind(b"\n") + 1
        if not whole:
            carry += piece
            if len(carry) > LONGEST_LINE:
                raise ValueError(f"a line is longer than {LONGEST_LINE:,} bytes")
            continue
        yield carry + piece[:whole] if carry or whole < len(piece) else piece
        carry = piece[whole:]
    if carry:
        yield carry


def _unpack(body: bytes) -> Iterator[bytes]:
    if not body.startswith(GZIP):
        yield body
        return
    from isal import igzip_lib

    rest = body
    while rest:
        member = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
        data = rest
        while not member.eof:
            try:
                piece = member.decompress(data, PIECE)
            except igzip_lib.IsalError as error:  # pyrefly: ignore[not-a-type] - its stub says instance
                raise ValueError(f"not readable as gzip: {error}") from error
            if not piece and not member.eof and member.needs_input:
                raise ValueError("not readable as gzip: it ends in the middle")
            data = b""
            if piece:
                yield piece
        rest = member.unused_data.lstrip(b"\0")  # some writers pad


Unpacked = tuple[int, bytes | ValueError | None]
"""The number of the body, and a piece of it, what is wrong with it, or None at its end."""


@contextmanager
def unpacked(bodies: Sequence[bytes]) -> Generator[Iterator[Unpacked], None, None]:
    """The pieces of all the bodies in order; leaving the block ends the thread."""
    ready: queue.Queue[Unpacked | BaseException | None] = queue.Queue(_AHEAD)
    left = threading.Event()

    def put(item: "Unpacked | BaseException | None") -> None:
        while not left.is_set():
            try:
                ready.put(item, timeout=0.1)
            except queue.Full:
                continue
            return

    def work() -> None:
        try:
            for number, body in enumerate(bodies):
                if left.is_set():
                    return
                try:
                    for piece in pieces(body):
                        put((number, piece))
                    put((number, None))
                except ValueError as error:
                    put((number, error))
            put(None)
        except BaseException as error:  # noqa: BLE001 - it is raised again where the pieces are read
            put(error)

    def read() -> Iterator[Unpacked]:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item

    thread = threading.Thread(target=work, name="unpack", daemon=True)
    thread.start()
    try:
        yield read()
    finally:
        left.set()
        thread.join()
