"""What a pull request says of its run: asked, changed, checked, spent, and what nobody has proven.

It claims what the result has and nothing else; each part has a limit of its own, so that the whole fits what
GitHub takes. Secrets that the redactor knows are taken out: a prompt is published here.
"""

from collections.abc import Sequence

from toolkit.contracts import Attempt, CheckResult, RunResult
from toolkit.pulls.commit import FileCount
from toolkit.pulls.markdown import NONE, block, span, subject
from toolkit.telemetry.redact import redact

MAX_BODY = 65_536
"""Characters that GitHub takes in a body."""

MAX_TITLE = 72
MAX_TEXT = 4_000
MAX_ROWS = 30
MAX_CELL = 240

TRAILER = "Tfkit-Run"


def title(result: RunResult) -> str:
    """The prompt's first line, as the title and as the commit's subject."""
    return subject(redact(result.prompt), MAX_TITLE) or f"tfkit run {result.run_id}"


def message(result: RunResult) -> str:
    """The commit's message; the trailer says which run it is of."""
    return f"{title(result)}\n\nWritten by tfkit with {span(result.model)}.\n\n{TRAILER}: {result.run_id}\n"


def body(
    result: RunResult, files: Sequence[FileCount], uncommitted: Sequence[str], statement: bytes | None
) -> str:
    """The description, in Markdown, at most `MAX_BODY` characters."""
    parts = [
        "A model wrote this change and code checked it. Nothing of it was applied to a cloud.",
        f"### Asked for\n\n{block(redact(result.prompt), MAX_TEXT)}",
        f"### What the model says\n\n{block(redact(result.output), MAX_TEXT)}"
        if result.output.strip()
        else "",
        f"### Changed\n\n{_files(files)}",
        f"### Attempts\n\n{_attempts(result.attempts)}",
        f"### Checks of what is here\n\n{_checks(result)}",
        f"### Not proven\n\n{_not_proven(result, uncommitted)}",
        f"### Run\n\n{_run(result)}",
    ]
    text = "\n\n".join(part for part in parts if part)
    return text + _statement(result, statement, MAX_BODY - len(text))


def _table(head: str, rows: Sequence[str], total: int) -> str:
    """A table with at most `MAX_ROWS` rows, which says how many more there are of the `total`."""
    line = "| " + " | ".join("---" for _ in head.split("|")) + " |"
    more = f"\n\n… and {total - MAX_ROWS} more" if total > MAX_ROWS else ""
    return "\n".join([f"| {head} |", line, *rows[:MAX_ROWS]]) + more


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def _files(files: Sequence[FileCount]) -> str:
    rows = [
        _row(span(one.path, MAX_CELL), *(NONE if n is None else str(n) for n in (one.added, one.removed)))
        for one in files[:MAX_ROWS]
    ]
    return _table("file | lines added | removed", rows, len(files))


def _attempts(attempts: Sequence[Attempt]) -> str:
    rows = [
        _row(
            str(one.n),
            span(one.tree.removeprefix("sha256:")[:12]),
            span(", ".join(f"{name} {status}" for name, status in sorted(one.validators.items())), MAX_CELL),
            str(len(one.findings)),
            f"{one.usage.input_tokens + one.usage.output_tokens:,}",
            f"{one.seconds:.1f}",
        )
        for one in attempts[:MAX_ROWS]
    ]
    head = "n | tree | checks | findings | tokens | seconds"
    return _table(head, rows, len(attempts)) if rows else "none"


def _checks(result: RunResult) -> str:
    rows = [_check(one) for one in result.checks[:MAX_ROWS]]
    rows += [
        _row(span(one.validator), "not run", NONE, NONE, span(redact(one.reason), MAX_CELL))
        for one in result.skipped[:MAX_ROWS]
    ]
    total = len(result.checks) + len(result.skipped)
    return _table("check | result | tool | findings | detail", rows, total) if rows else "none"


def _check(one: CheckResult) -> str:
    tool = f"{one.tool.name} {one.tool.version}" if one.tool else ""
    detail = span(redact(one.detail), MAX_CELL)
    return _row(span(one.validator), one.status, span(tool), str(len(one.findings)), detail)


def _not_proven(result: RunResult, uncommitted: Sequence[str]) -> str:
    points = [f"- {span(redact(point), MAX_CELL)}" for point in result.not_proven[:MAX_ROWS]]
    if uncommitted:
        named = ", ".join(span(path, MAX_CELL) for path in uncommitted[:MAX_ROWS])
        more = f" and {len(uncommitted) - MAX_ROWS} more" if len(uncommitted) > MAX_ROWS else ""
        points.append(
            "- The checks saw files that are not committed so, and that are no part of this: "
            f"{named}{more}. What is here was not checked without them, and the statement is not of it."
        )
    return "\n".join(points) or "Nothing is noted."


def _run(result: RunResult) -> str:
    usage = result.usage
    cost = "no price known" if usage.cost_usd is None else f"${usage.cost_usd:.4f}"
    lines = [
        f"- model {span(result.model)}, {usage.requests} requests, {usage.input_tokens:,} tokens in, "
        f"{usage.output_tokens:,} out, {cost}, {result.seconds:.1f} s",
        f"- sandbox of the checks: {span(result.sandbox)}",
        f"- run {span(result.run_id)}, trace {span(result.trace_id)}",
    ]
    return "\n".join(lines)


def _statement(result: RunResult, statement: bytes | None, room: int) -> str:
    """The signed statement, where there is one and room for it; it is never cut."""
    if statement is None:
        return "\n\nThe platform has signed no statement of this run."
    text = statement.decode("utf-8", "replace").strip()
    intro = "Signed statement (in-toto); check a checkout with <code>tfkit verify DIR</code>"
    shown = (
        f"\n\n<details><summary>{intro}</summary>\n\nAs a file, for <code>--statement FILE</code>:\n\n"
        f"{block(text, len(text))}\n\n</details>"
    )
    if len(shown) <= room:
        return shown
    run = span(result.run_id)
    return (
        f"\n\nThe signed statement of run {run} is too long for here: `tfkit verify DIR` asks the platform."
    )
