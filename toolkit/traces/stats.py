"""What the runs of a window come to: success by attempt, tokens and dollars, slow tools, common findings."""

import sqlite3
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from toolkit.contracts import Shape
from toolkit.telemetry import names
from toolkit.traces.query import nanoseconds, rfc3339

MOST = 20
"""How many tools and rules are named."""

_WINDOW = "start_ns >= ? AND start_ns < ?"
_RUNS = f"SELECT number FROM run WHERE {_WINDOW}"  # noqa: S608 - our own names
_CAPPED = "min({}, 1000000000000)"


class ByAttempt(Shape, frozen=True):
    """How many ended runs came to their n-th attempt, and how many of these ended as ok with it."""

    n: int
    runs: int
    ok: int

    @property
    def rate(self) -> float:
        """The part that was ok, of 1."""
        return self.ok / self.runs if self.runs else 0.0


class ByModel(Shape, frozen=True):
    """The runs of a model. `cost_usd` is None where no run of it has a known price."""

    model: str
    runs: int
    ok: int
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    tokens_per_run: int
    cost_usd_per_run: float | None


class ByTool(Shape, frozen=True):
    """A tool of the model's, or a step of tfkit's own. Times are seconds: in all, the median, the worst."""

    tool: str
    calls: int
    errors: int
    seconds: float
    median_s: float
    p95_s: float
    max_s: float


class ByRule(Shape, frozen=True):
    """A rule that the gate's findings name: how often, and in how many runs."""

    validator: str
    rule: str
    severity: str
    findings: int
    runs: int


class Stats(Shape, frozen=True):
    """All of it. `since` and `until` are RFC 3339; `ended` counts the runs that are no longer under way."""

    since: str
    until: str
    runs: int
    ended: int
    ok: int
    statuses: dict[str, int]
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    attempts: list[ByAttempt]
    models: list[ByModel]
    tools: list[ByTool]
    findings: list[ByRule]


def stats(connection: sqlite3.Connection, since: datetime, until: datetime) -> Stats:
    """The figures of the runs that began in the window."""
    window = (nanoseconds(since), nanoseconds(until))
    by_status = f"SELECT status, count(*) FROM run WHERE {_WINDOW} GROUP BY 1 ORDER BY 2 DESC"  # noqa: S608
    statuses: dict[str, int] = dict(connection.execute(by_status, window).fetchall())
    models = _models(connection, window)
    known = [model.cost_usd for model in models if model.cost_usd is not None]
    return Stats(
        since=rfc3339(window[0]),
        until=rfc3339(window[1]),
        runs=sum(statuses.values()),
        ended=sum(count for status, count in statuses.items() if status not in ("running", "queued")),
        ok=statuses.get("ok", 0),
        statuses=statuses,
        input_tokens=sum(model.input_tokens for model in models),
        output_tokens=sum(model.output_tokens for model in models),
        cost_usd=round(sum(known), 6) if known else None,
        attempts=_attempts(connection, window),
        models=models,
        tools=_tools(connection, window),
        findings=_findings(connection, window),
    )


def _attempts(connection: sqlite3.Connection, window: tuple[int, int]) -> list[ByAttempt]:
    rows = connection.execute(
        "SELECT attempts, count(*), sum(status = 'ok') FROM run"  # noqa: S608
        f" WHERE {_WINDOW} AND attempts > 0 AND status NOT IN ('running', 'queued')"
        " GROUP BY attempts ORDER BY 1",
        window,
    ).fetchall()
    return [
        ByAttempt(n=n, runs=sum(count for last, count, _ in rows if last >= n), ok=ok) for n, _, ok in rows
    ]


def _models(connection: sqlite3.Connection, window: tuple[int, int]) -> list[ByModel]:
    tokens_in, tokens_out = _CAPPED.format("input_tokens"), _CAPPED.format("output_tokens")
    rows = connection.execute(
        f"SELECT model, count(*), sum(status = 'ok'), sum({tokens_in}), sum({tokens_out}), sum(cost_usd),"  # noqa: S608
        f" avg({tokens_in} + {tokens_out}), avg(cost_usd) FROM run WHERE {_WINDOW}"
        " GROUP BY model ORDER BY 2 DESC, 1",
        window,
    )
    return [
        ByModel(
            model=model,
            runs=runs,
            ok=ok,
            input_tokens=total_in,
            output_tokens=total_out,
            cost_usd=_cents(cost),
            tokens_per_run=round(each),
            cost_usd_per_run=_cents(cost_each),
        )
        for model, runs, ok, total_in, total_out, cost, each, cost_each in rows
    ]


def _cents(cost: float | None) -> float | None:
    """Rounded to what a token can cost; a sum of floats has more digits than it knows."""
    return None if cost is None else round(cost, 6)


def _tools(connection: sqlite3.Connection, window: tuple[int, int]) -> list[ByTool]:
    """The tools by the time that they took in all; the model's own time is no tool's."""
    rows = connection.execute(
        "SELECT CASE WHEN tool != '' THEN tool ELSE name END AS who, (end_ns - start_ns) / 1e9 AS seconds,"  # noqa: S608
        f" status FROM span WHERE run IN ({_RUNS}) AND (operation = ? OR operation = '' AND parent_id != ''"
        " AND name NOT GLOB 'attempt *' AND name != 'checker') ORDER BY who, seconds",
        (*window, names.OPERATION_TOOL),
    )
    found: dict[str, list[tuple[float, int]]] = {}
    for who, seconds, status in rows:
        found.setdefault(who, []).append((max(seconds, 0.0), status))
    tools = [_tool(who, calls) for who, calls in found.items()]
    return sorted(tools, key=lambda tool: (-tool.seconds, tool.tool))[:MOST]


def _tool(who: str, calls: list[tuple[float, int]]) -> ByTool:
    """`calls` are seconds and status, the quickest first."""
    seconds = [took for took, _ in calls]

    def at(part: float) -> float:
        return round(seconds[min(int(len(seconds) * part), len(seconds) - 1)], 3)

    return ByTool(
        tool=who,
        calls=len(calls),
        errors=sum(status == 2 for _, status in calls),
        seconds=round(sum(seconds), 3),
        median_s=at(0.5),
        p95_s=at(0.95),
        max_s=round(seconds[-1], 3),
    )


def _findings(connection: sqlite3.Connection, window: tuple[int, int]) -> list[ByRule]:
    rows: Iterable[Any] = connection.execute(
        "SELECT validator, rule, max(severity), count(*), count(DISTINCT run) FROM finding"  # noqa: S608
        f" WHERE run IN ({_RUNS}) GROUP BY validator, rule ORDER BY 4 DESC, 1, 2 LIMIT {MOST}",
        window,
    )
    return [
        ByRule(validator=validator, rule=rule, severity=severity, findings=count, runs=runs)
        for validator, rule, severity, count, runs in rows
    ]
