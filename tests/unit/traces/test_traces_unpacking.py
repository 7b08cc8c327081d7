"""Bodies into lines, in pieces: whatever they are packed in, and however large they are."""

import gzip
import random
import threading
import tracemalloc

import pytest

from toolkit.traces import unpacking
from toolkit.traces.unpacking import pieces, unpacked


def lines(count: int, seed: int = 1) -> bytes:
    rng = random.Random(seed)
    return b"".join(rng.randbytes(rng.randrange(60)).hex().encode() + b"\n" for _ in range(count))


@pytest.mark.parametrize("piece", [1, 7, 100, 10_000_000])
@pytest.mark.parametrize("end", [b"\n", b"", b"\n\n"])
def test_the_pieces_are_the_text_and_end_with_lines(monkeypatch, piece: int, end: bytes):
    monkeypatch.setattr(unpacking, "PIECE", piece)
    text = lines(50).rstrip(b"\n") + end
    half = len(text) // 2
    members = gzip.compress(text[:half]) + gzip.compress(text[half:])
    for body in (text, gzip.compress(text), members, members + b"\0" * 9):
        found = list(pieces(body))
        assert b"".join(found) == text
        assert all(part.endswith(b"\n") for part in found[:-1])
        assert all(found)


@pytest.mark.parametrize("cut", [3, 12, -1, -5, -9])
def test_what_is_cut_off_is_told(cut: int):
    with pytest.raises(ValueError, match="gzip"):
        list(pieces(gzip.compress(lines(50))[:cut]))


def test_a_line_without_an_end_is_not_collected_for_ever(monkeypatch):
    monkeypatch.setattr(unpacking, "PIECE", 1000)
    monkeypatch.setattr(unpacking, "LONGEST_LINE", 5000)
    with pytest.raises(ValueError, match="longer than"):
        list(pieces(gzip.compress(b"x" * 100_000)))


def test_memory_does_not_grow_with_the_object():
    """64 MB of text from 0.3 MB of gzip, as Firehose could pack it at most; held is a piece or two."""
    body = gzip.compress((b'{"v":1}' * 9 + b"\n") * 1024 * 1024, 1)
    tracemalloc.start()
    try:
        total = sum(map(len, pieces(body)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total == 64 * 1024 * 1024
    assert peak < 5 * unpacking.PIECE


def test_bodies_come_in_order_each_with_its_end_and_its_damage():
    good, bad = gzip.compress(b"a\nb\n"), gzip.compress(b"c\n")[:-2]
    with unpacked([good, bad, b"", b"d\n"]) as found:
        parts = list(found)
    assert [(number, type(part).__name__) for number, part in parts] == [
        (0, "bytes"),
        (0, "NoneType"),
        (1, "bytes"),
        (1, "ValueError"),
        (2, "NoneType"),
        (3, "bytes"),
        (3, "NoneType"),
    ]


def test_leaving_early_leaves_no_thread():
    before = threading.active_count()
    with pytest.raises(RuntimeError, match="enough"), unpacked([lines(10)] * 50) as found:
        next(found)
        raise RuntimeError("enough")
    assert threading.active_count() == before
