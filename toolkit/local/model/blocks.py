"""Top-level Terraform blocks as text: splitting a file into them, and naming each by its address."""

import re
from typing import NamedTuple

_HEAD = re.compile(r'^(?P<type>[a-z]+)(?: "(?P<first>[^"]+)")?(?: "(?P<second>[^"]+)")? \{', re.M)


class Block(NamedTuple):
    """A block with the comments above it, and its address: `aws_kms_key.main`, `variable.region`."""

    address: str
    type: str
    text: str


def split_blocks(text: str) -> list[Block]:
    """The blocks of a laid-out text: each starts in the first column and ends with a `}` there."""
    blocks: list[Block] = []
    lines: list[str] = []
    for line in text.splitlines():
        if not line and not lines:
            continue
        lines.append(line)
        one_line = _HEAD.match(line) and line.endswith("}")
        if line == "}" or one_line:
            blocks.append(_block("\n".join(lines) + "\n"))
            lines = []
    return blocks


def addresses(text: str) -> frozenset[str]:
    """The addresses of all blocks that start in the first column, in any layout that can be recognised."""
    heads = re.finditer(r'^(\w+)\s*(?:"?([\w-]+)"?)?\s*(?:"?([\w-]+)"?)?\s*\{', text, re.M)
    return frozenset(_address(m[1], m[2], m[3]) for m in heads)


def _block(text: str) -> Block:
    """One block with its address."""
    head = _HEAD.search(text)
    if head is None:
        raise ValueError(f"no block starts in: {text.splitlines()[0]}")
    return Block(_address(head["type"], head["first"], head["second"]), head["type"], text)


def _address(kind: str, first: str | None, second: str | None) -> str:
    """`aws_s3_bucket.logs`, `data.aws_partition.current`, `variable.region`, `terraform`."""
    parts = [part for part in (None if kind == "resource" else kind, first, second) if part]
    return ".".join(parts)
