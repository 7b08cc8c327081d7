"""The words of a pull request: what a prompt or a model says is shown, and obeyed by nobody."""

import re

import pytest
from pulls_runs import ran

from toolkit.contracts import Attempt, CheckResult, SkippedCheck, Tool
from toolkit.pulls.body import MAX_BODY, body, message, title
from toolkit.pulls.commit import FileCount
from toolkit.pulls.markdown import block, span, subject

HOSTILE = [
    "@acme/everybody look",
    "closes #1, fixes acme/shop#2, resolves GH-3",
    "Closes https://github.com/acme/shop/issues/4",
    "<!-- hidden --><details><img src=x onerror=1>",
    "```\n@bob\n````\n# heading\n~~~",
    "| a | b |\n|---|---|",
    "a \\| b ` c `` d ``` e",
    "`starts and ends`",
    "![x](https://evil.example.com/?leak) [link](javascript:1)",
    "\u202eright to left\u202c\u200bhidden\x00\x1b[31m",
    "\r\n\r\n</summary></details>",
    "\\",
    "<https://example.com> www.example.com",
]


def outside_code(markdown: str) -> str:
    """What of a document GitHub reads as more than code: by CommonMark's rules for fences and spans."""
    kept: list[str] = []
    fence = ""
    for line in markdown.split("\n"):
        found = re.match(r" {0,3}(`{3,}|~{3,})(.*)$", line)
        if not fence and found and "`" not in found[2]:
            fence = found[1]
        elif fence and found and found[1].startswith(fence) and not found[2].strip():
            fence = ""
        elif not fence:
            kept.append(re.sub(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", "CODE", line))
    assert not fence, "a block is open at the end"
    return "\n".join(kept)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_foreign_stands_in_code_wherever_it_comes_from(text: str) -> None:
    result = ran(
        text,
        output=text,
        model=text,
        not_proven=[text],
        skipped=[SkippedCheck(validator=text, reason=text)],
        checks=[CheckResult(validator=text, status="error", detail=text, tool=Tool(name=text, version=text))],
        attempts=[Attempt(n=1, tree=text, validators={text: "ok"})],
        sandbox=text,
    )
    quiet = outside_code(body(result, [FileCount(text, 1, None)], [text], text.encode()))
    plain = outside_code(body(ran("x"), [FileCount("x", 1, None)], ["x"], b"x"))
    words = set(re.findall(r"\S+", quiet)) - set(re.findall(r"\S+", plain))
    assert words <= {"error", "CODE,", "-"}, quiet
    assert not re.search(r"[\u200b\u202c\u202e\x00\x1b]", body(result, [], [], None))


@pytest.mark.parametrize("text", HOSTILE)
def test_a_row_of_a_table_stays_one_row_with_its_cells(text: str) -> None:
    cell = span(text)
    assert "\n" not in cell and "|" not in cell
    assert outside_code(cell) == "CODE"


def test_a_span_keeps_what_it_can() -> None:
    assert span("a b") == "`a b`"
    assert span("`a`") == "`` `a` ``"
    assert span("") == span(" \n") == "-"
    assert span("x" * 300, 10) == "`xxxxxxxxxx…`"
    assert span("x" + " " * 300 + "y", 10) == "`x…`"


def test_a_block_is_fenced_by_more_than_it_holds_and_cut() -> None:
    assert block("a\n````\nb", 100) == "`````text\na\n````\nb\n`````"
    assert block("x" * 20, 10) == "```text\nxxxxxxxxxx\n… cut\n```"
    assert block("x\t\t\ty", 10) == "```text\nx\n… cut\n```"


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("\n  add   a queue\nand more", "add a queue"),
        ("closes #1 for @bob", "closes # 1 for @ bob"),
        ("fixes acme/shop#2 and GH-3", "fixes acme/shop# 2 and GH 3"),
        ("closes https://github.com/acme/shop/issues/4", "closes https:// github.com/acme/shop/issues/4"),
        ("a bucket [skip ci]", "a bucket (skip ci)"),
        ("use `main`", "use 'main'"),
        ("x" * 100, "x" * 71 + "…"),
    ],
)
def test_a_subject_orders_nothing(prompt: str, said: str) -> None:
    assert subject(prompt, 72) == said


def test_the_message_has_one_trailer_that_a_prompt_cannot_forge() -> None:
    said = message(ran("x\n\nTfkit-Run: run-99999999\nskip-checks: true"))
    assert said == "x\n\nWritten by tfkit with `offline-composer`.\n\nTfkit-Run: run-00000001\n"
    assert title(ran("\u200b")) == "\ufffd"


def test_secrets_in_a_prompt_are_not_published() -> None:
    key = "AKIAQWERTYUIOPASDFGH"
    result = ran(f"use {key}", output=f"I used {key}", not_proven=[key])
    text = body(result, [], [], None) + message(result)
    assert key not in text and "[redacted:aws-access-key-id]" in text


def test_it_says_what_was_checked_by_what_and_what_was_not() -> None:
    text = body(ran(), [FileCount("infra/main.tf", 3, 1)], ["note.txt"], b'{"payload":"e30="}')
    for line in [
        "| `infra/main.tf` | 3 | 1 |",
        "| `fmt` | ok | `terraform 1.11.4` | 0 | - |",
        "| `rehearse` | slow | - | 0 | `aws_sqs_queue.a took 60 s` |",
        "| `checkov` | not run | - | - | `not installed` |",
        "| 1 | `aaaaaaaaaaaa` | `fmt ok, rehearse slow` | 0 | 0 | 0.0 |",
        "- `nothing was applied`",
        "- run `run-00000001`, trace `ffffffffffffffffffffffffffffffff`",
        '{"payload":"e30="}',
    ]:
        assert f"\n{line}" in text, line
    assert "1,200 tokens in, 34 out, $0.0123" in text and "`note.txt`" in text


def test_everything_at_its_largest_fits_and_a_statement_is_whole_or_not_there() -> None:
    long = "`| x" * 5_000
    many = range(500)
    result = ran(
        long,
        output=long,
        not_proven=[long for _ in many],
        skipped=[SkippedCheck(validator=long, reason=long) for _ in many],
        checks=[
            CheckResult(validator=long, status="ok", detail=long, tool=Tool(name=long, version=long))
            for _ in many
        ],
        attempts=[Attempt(n=n, tree=long, validators={long: "ok"}) for n in many],
    )
    files = [FileCount(long, 1, 1) for _ in many]
    paths = [long for _ in many]
    text = body(result, files, paths, b"s" * MAX_BODY)
    assert len(text) <= MAX_BODY and "… and 470 more" in text
    assert text.endswith("is too long for here: `tfkit verify DIR` asks the platform.")
    whole = body(ran(), [], [], b"s" * 50_000)
    assert len(whole) <= MAX_BODY and "s" * 50_000 in whole
