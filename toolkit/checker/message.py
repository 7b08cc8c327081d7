"""What the agent sends to the checker's function, and what fits into its answer.

A tree travels as gzip over msgpack, with sorted paths and no time in it: equal trees are equal bytes, and
there is no archive format whose names and links could lead anywhere; it is read into memory only.
"""

import gzip
import json
import zlib
from typing import Literal

import msgspec

from toolkit.checker.selection import ValidatorSettings
from toolkit.contracts import (
    SEVERITIES,
    CheckReport,
    CheckResult,
    Finding,
    RehearseDepth,
    Shape,
    Tree,
    to_json,
)
from toolkit.errors import PlatformError

MAX_PACKED_BYTES = 4 * 1024 * 1024
"""Of a packed tree. In base64 it is a third more, and Lambda takes 6 MB (6,291,556 bytes) in one call:
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""

MAX_UNPACKED_BYTES = 64 * 1024 * 1024
"""Of a tree as it is unpacked; staging refuses one a tenth as large, in words that a model can act on."""

MAX_ANSWER_BYTES = 5 * 1024 * 1024
"""Of a report as JSON. Lambda takes 6 MB back."""

MAX_TEXT = 4_000
"""Characters of a finding's text, in a report that would be too large."""


REQUEST = "request.json"
"""Where a child finds its request, in the folder that it is given."""


class CheckRequest(Shape, frozen=True):
    """The event of the checker's function. Without validators it asks for `terraform init` alone.

    `tree` is a packed tree, `tree_hash` its `Tree.hash`; `timeout_s` is for the whole check. `settings` are
    those of the validators, by name. `own` are the paths of the files that the user brought and that nobody
    has changed since (`staging.unchanged`): the agent knows them, the function takes its word. `before` are
    those that were changed, as they were: a tree, packed and named by `before_hash`, or nothing.
    """

    v: Literal[1]
    tree: bytes
    tree_hash: str
    validators: tuple[str, ...]
    timeout_s: float
    rehearse: RehearseDepth = "off"
    settings: dict[str, ValidatorSettings] = {}
    own: tuple[str, ...] = ()
    before: bytes = b""
    before_hash: str = ""


class Answer(Shape, frozen=True):
    """How a check in a child ended: a report, or why there is none."""

    report: CheckReport | None = None
    error: str = ""


def pack(tree: Tree) -> bytes:
    """The bytes that a tree travels as. Raises `PlatformError` for one that is too large to be sent."""
    packed = gzip.compress(msgspec.msgpack.encode(tree, order="sorted"), compresslevel=6, mtime=0)
    if len(packed) > MAX_PACKED_BYTES:
        raise PlatformError(
            f"the files take {len(packed)} bytes compressed, and the checker takes {MAX_PACKED_BYTES}",
            "leave large files out of the workspace",
        )
    return packed


def unpack(request: CheckRequest) -> Tree:
    """The tree of a request. Raises `PlatformError` where it is not the one that was sent."""
    return unpack_tree(request.tree, request.tree_hash)


def brought_of(request: CheckRequest, tree: Tree) -> Tree:
    """What the user brought, as far as a check of this tree has to know it. Raises as `unpack` does."""
    before = unpack_tree(request.before, request.before_hash).files if request.before else {}
    return Tree(files={**before, **{path: tree.files[path] for path in request.own if path in tree.files}})


def unpack_tree(packed: bytes, tree_hash: str) -> Tree:
    """The tree of this hash out of what `pack` made. Raises `PlatformError` where it is another one."""
    reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        content = reader.decompress(packed, MAX_UNPACKED_BYTES)
        if not reader.eof:
            raise PlatformError("the tree of the request is cut off, or larger than any tree may be")
        tree = msgspec.msgpack.decode(content, type=Tree)
    except (zlib.error, msgspec.MsgspecError) as error:
        raise PlatformError(f"the tree of the request cannot be read: {error}") from error
    if tree.hash != tree_hash:
        raise PlatformError("the tree of the request is not the one that its hash names")
    return tree


def fit(report: CheckReport, limit: int = MAX_ANSWER_BYTES) -> CheckReport:
    """The report, small enough to be answered: texts are cut, then findings are left out and counted.

    What is left out is told by a finding of the same validator with the gravest severity among them, so a
    result that had findings still has some, and no threshold is missed.
    """
    if _size(report) <= limit:
        return report
    share = (limit - _size(msgspec.structs.replace(report, results=[]))) // max(1, len(report.results))
    return msgspec.structs.replace(report, results=[_shortened(result, share) for result in report.results])


def _shortened(result: CheckResult, share: int) -> CheckResult:
    findings = [_cut(finding) for finding in result.findings]
    bare = msgspec.structs.replace(result, findings=[], detail=result.detail[:MAX_TEXT])
    room = share - _size(bare) - _size(_left_out(result.validator, findings))
    kept = 0
    for finding in findings:
        room -= _size(finding) + 2  # a comma and a space behind it
        if room < 0:
            break
        kept += 1
    if rest := findings[kept:]:
        findings = [*findings[:kept], _left_out(result.validator, rest)]
    return msgspec.structs.replace(bare, findings=findings)


def _left_out(validator: str, findings: list[Finding]) -> Finding:
    gravest = max((SEVERITIES.index(finding.severity) for finding in findings), default=0)
    return Finding(
        validator=validator,
        rule="left-out",
        severity=SEVERITIES[gravest],
        message=f"{len(findings)} more findings of {validator} are left out: the report is too large",
        hint="mend those that are shown, and check again",
    )


def _cut(finding: Finding) -> Finding:
    texts = {name: value for name in _TEXTS if len(value := getattr(finding, name)) > MAX_TEXT}
    return msgspec.structs.replace(finding, **{n: f"{v[:MAX_TEXT]} …" for n, v in texts.items()})


_TEXTS = ("rule", "message", "file", "hint", "url")


def _size(value: object) -> int:
    """Bytes as Lambda's runtime may write it: spaces between, six for each letter that is not ASCII."""
    return len(json.dumps(json.loads(to_json(value))))
