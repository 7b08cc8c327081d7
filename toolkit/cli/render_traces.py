"""Traces on a screen: the list of runs, and one run as a waterfall.

What a model or a tool wrote is shown as plain text: never as markup, and never as a control character
that the terminal would obey.
"""

from collections.abc import Collection, Sequence

from rich.console import Console, Group
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from toolkit.cli.text import harmless
from toolkit.contracts import TraceSummary
from toolkit.traces.waterfall import Row

_STYLES = {
    "ok": "green",
    "running": "cyan",
    "queued": "cyan",
    "not_converged": "yellow",
    "budget_exceeded": "yellow",
    "cancelled": "magenta",
    "error": "red",
}

_STATUS_WIDTH = len("not_converged*")
_BAR_MIN = 8
_NAME_MAX = 44
_WATERFALL_MAX = 120
_NARROW = 60  # below this there is no room for bars
_ROOMY = 100  # below this a tool goes by its own name


def count(value: int) -> str:
    """A number of tokens in at most five characters: 950, 12.3k, 4.1M."""
    for limit, divisor, unit in ((1_000, 1, ""), (999_500, 1_000, "k"), (999_500_000, 1_000_000, "M")):
        if value < limit:
            scaled = value / divisor
            return f"{scaled:.1f}{unit}" if unit and scaled < 100 else f"{scaled:.0f}{unit}"
    return f"{value / 1e9:.1f}G"


def duration(seconds: float) -> str:
    """Seconds for people: 0.04s, 7.3s, 4m05s, 2h10m."""
    if seconds < 59.95:
        return f"{seconds:.2f}s" if seconds < 1 else f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02d}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02d}m"


def dollars(cost: float | None) -> str:
    """An amount, with enough digits to be no zero; `-` where no price is known."""
    if cost is None:
        return "-"
    return f"${cost:.4f}" if cost < 0.1 else f"${cost:.2f}"


def _tokens(tokens_in: int, tokens_out: int) -> str:
    return f"{count(tokens_in)}/{count(tokens_out)}" if tokens_in or tokens_out else ""


def _time(start: str) -> str:
    """`2026-11-21T13:29:38.791Z` as `11-21 13:29`."""
    return f"{start[5:10]} {start[11:16]}"


def _cells(row: TraceSummary, pending: bool) -> tuple[Text, ...]:
    """The row's cells in the order of the wide table."""
    status = Text(harmless(row.status), style=_STYLES.get(row.status, "red"))
    if pending:
        status.append("*", style="dim")
    return (
        Text(_time(row.start), style="dim"),
        Text(harmless(row.run_id), style="bold"),
        status,
        Text(harmless(row.model)),
        Text(_tokens(row.input_tokens, row.output_tokens)),
        Text(dollars(row.cost_usd)),
        Text(str(row.tool_calls)),
        Text(str(row.spans)),
        Text(duration(row.seconds)),
    )


_COLUMNS = ("began", "run", "status", "model", "in/out", "cost", "tools", "spans", "took")
_RIGHT = ("in/out", "cost", "tools", "spans", "took")


def _wide(rows: Sequence[TraceSummary], pending: Collection[str]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in _COLUMNS:
        table.add_column(name, justify="right" if name in _RIGHT else "left", no_wrap=True)
    for row in rows:
        table.add_row(*_cells(row, row.run_id in pending))
    return table


def _narrow(rows: Sequence[TraceSummary], pending: Collection[str]) -> Group:
    """Two lines a run, for terminals that the table does not fit: nothing is cut, least of all the id."""
    lines: list[Text] = []
    for row in rows:
        began, run, status, model, tokens, cost, tools, spans, took = _cells(row, row.run_id in pending)
        status.pad_right(max(_STATUS_WIDTH - status.cell_len, 0))
        lines.append(Text("  ").join([began, status, run]))
        price = Text("no price") if row.cost_usd is None else cost
        facts = [model, Text(f"{tokens.plain or '0/0'} tokens"), price]
        facts += [Text(f"{tools.plain} tools"), Text(f"{spans.plain} spans"), took]
        second = Text("  ") + Text(" · ").join([fact for fact in facts if fact.plain])
        second.stylize("dim")
        lines.append(second)
    return Group(*lines)


def render_list(
    rows: Sequence[TraceSummary], console: Console, pending: Collection[str] = frozenset()
) -> None:
    """Print the runs, aligned; runs whose id is in `pending` are marked as not delivered yet."""
    if not rows:
        console.print(Text("no runs in this window", style="dim"))
        return
    table = _wide(rows, pending)
    fits = Measurement.get(console, console.options, table).minimum <= console.width
    wide = fits and table.__rich_measure__(console, console.options.update(max_width=10_000)).maximum
    console.print(table if wide and wide <= console.width else _narrow(rows, pending))
    if any(row.run_id in pending for row in rows):
        console.print(Text("* in the audit bucket within minutes; read from the run's own copy", style="dim"))


def _bar(row: Row, total: float, width: int) -> Text:
    """The row's place in time as a bar that is at least one cell long."""
    if width <= 0:
        return Text("")
    start = min(int(row.offset_s / total * width), width - 1) if total else 0
    length = max(round(row.seconds / total * width), 1) if total else 1
    length = min(length, width - start)
    style = "red" if row.status == "error" else ("blue" if row.input_tokens else "cyan")
    return Text(" " * start) + Text("━" * length, style=style) + Text(" " * (width - start - length))


def _name(row: Row, screen: int) -> Text:
    """The span's name below its parent's; on a small screen without the words that every tool call has."""
    name = harmless(row.name)
    if screen < _ROOMY:
        name = name.removeprefix("execute_tool ").replace("invoke_agent ", "agent ")
    return Text((" " if screen < _NARROW else "  ") * min(row.depth, 12) + name)


def render_waterfall(rows: Sequence[Row], console: Console) -> None:
    """Print the spans of a run as an indented tree with bars, seconds, tokens and what went wrong."""
    if not rows:
        console.print(Text("no spans yet", style="dim"))
        return
    screen = min(console.width, _WATERFALL_MAX)
    names = [_name(row, screen) for row in rows]
    took = [duration(row.seconds) for row in rows]
    tokens = [_tokens(row.input_tokens, row.output_tokens) for row in rows]
    took_width, token_width = max(map(len, took)), max(map(len, tokens))
    left = screen - took_width - token_width - 6
    longest = min(max(name.cell_len for name in names), _NAME_MAX)
    name_width = left if screen < _NARROW else min(longest, max(left - _BAR_MIN, 12))
    bar_width = left - name_width
    total = max(row.offset_s + row.seconds for row in rows)
    for row, name, seconds, used in zip(rows, names, took, tokens, strict=True):
        name.truncate(name_width, overflow="ellipsis", pad=True)
        if row.status == "error":
            name.stylize("red")
        line = name + Text("  ") + _bar(row, total, bar_width)
        line += Text("  " + seconds.rjust(took_width), style="dim") + Text("  " + used.rjust(token_width))
        line.rstrip()
        console.print(line, no_wrap=True, overflow="crop", highlight=False)
        if row.note and row.note != row.status:
            note = Text("  " * (min(row.depth, 12) + 1) + harmless(row.note), style="dim")
            note.truncate(console.width, overflow="ellipsis")
            console.print(note, no_wrap=True, overflow="crop", highlight=False)
