"""`tfkit stats` on a screen."""

from rich.console import Console
from rich.text import Text

from toolkit.cli.figures import count, dollars, duration
from toolkit.cli.listing import render_rows
from toolkit.cli.text import harmless
from toolkit.traces.stats import Stats


def render_stats(found: Stats, console: Console) -> None:
    """Print the figures as a few tables, each with a heading; what is empty is left out."""
    statuses = ", ".join(f"{number} {status}" for status, number in found.statuses.items())
    runs = "1 run" if found.runs == 1 else f"{found.runs} runs"
    since = found.since[:16].replace("T", " ")
    console.print(Text(f"{runs} since {since} UTC: {harmless(statuses)}"))
    tokens = f"{count(found.input_tokens)} in, {count(found.output_tokens)} out"
    console.print(Text(f"tokens {tokens}; cost {dollars(found.cost_usd)}"))
    _attempts(found, console)
    _models(found, console)
    _tools(found, console)
    _findings(found, console)


def _heading(console: Console, text: str) -> None:
    console.print(Text(f"\n{text}", style="bold"))


def _attempts(found: Stats, console: Console) -> None:
    if not found.attempts:
        return
    _heading(console, "Success by attempt")
    rows = [(str(one.n), str(one.runs), str(one.ok), f"{one.rate:.0%}") for one in found.attempts]
    render_rows(console, ("attempt", "runs that came so far", "ok with it", "part"), rows)


def _models(found: Stats, console: Console) -> None:
    if not found.models:
        return
    _heading(console, "Models")
    columns = ("model", "runs", "ok", "in/out", "cost", "tokens a run", "cost a run")
    rows = [
        (
            one.model or "-",
            str(one.runs),
            str(one.ok),
            f"{count(one.input_tokens)}/{count(one.output_tokens)}",
            dollars(one.cost_usd),
            count(one.tokens_per_run),
            dollars(one.cost_usd_per_run),
        )
        for one in found.models
    ]
    render_rows(console, columns, rows)


def _tools(found: Stats, console: Console) -> None:
    if not found.tools:
        return
    _heading(console, "Slowest tools and steps")
    rows = [
        (
            one.tool,
            str(one.calls),
            str(one.errors),
            duration(one.seconds),
            duration(one.median_s),
            duration(one.p95_s),
            duration(one.max_s),
        )
        for one in found.tools
    ]
    render_rows(console, ("tool", "calls", "errors", "in all", "median", "p95", "longest"), rows)


def _findings(found: Stats, console: Console) -> None:
    if not found.findings:
        return
    _heading(console, "Most frequent findings")
    rows = [
        (f"{one.validator}/{one.rule}", one.severity, str(one.findings), str(one.runs))
        for one in found.findings
    ]
    render_rows(console, ("rule", "severity", "findings", "runs"), rows)
