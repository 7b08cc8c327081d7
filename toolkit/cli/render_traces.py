"""Traces on a screen: the list of runs, and one run as a waterfall.

What a model or a tool wrote is shown as plain text: never as markup, and never as a control character
that the terminal would obey.
"""

from collections.abc import Collection, Sequence

from rich.console import Console, Group
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from toolkit.cli.figures import COLUMNS, RIGHT, STYLES, began, dollars, duration, tokens
from toolkit.cli.text import harmless, paragraph
from toolkit.contracts import TraceSummary
from toolkit.traces.query import GateAttempt
from toolkit.traces.waterfall import Row

_STATUS_WIDTH = len("not_converged*")
_BAR_MIN = 8
_NAME_MAX = 44
_WATERFALL_MAX = 120
_SAID_MAX = 160
_FINDINGS_MAX = 10
_NARROW = 60  # below this there is no room for bars
_ROOMY = 100  # below this a tool goes by its own name


def _cells(row: TraceSummary, pending: bool) -> tuple[Text, ...]:
    """The row's cells in the order of the wide table."""
    status = Text(harmless(row.status), style=STYLES.get(row.status, "red"))
    if pending:
        status.append("*", style="dim")
    return (
        Text(began(row.start), style="dim"),
        Text(harmless(row.run_id), style="bold"),
        status,
        Text(harmless(row.model)),
        Text(tokens(row.input_tokens, row.output_tokens)),
        Text(dollars(row.cost_usd)),
        Text(str(row.tool_calls)),
        Text(str(row.spans)),
        Text(duration(row.seconds)),
    )


def _wide(rows: Sequence[TraceSummary], pending: Collection[str]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in COLUMNS:
        table.add_column(name, justify="right" if name in RIGHT else "left", no_wrap=True)
    for row in rows:
        table.add_row(*_cells(row, row.run_id in pending))
    return table


def _narrow(rows: Sequence[TraceSummary], pending: Collection[str], width: int) -> Group:
    """Two or three lines a run, where the table does not fit: nothing is cut, least of all the id."""
    lines: list[Text] = []
    for row in rows:
        when, run, status, model, used, cost, tools, spans, took = _cells(row, row.run_id in pending)
        status.pad_right(max(_STATUS_WIDTH - status.cell_len, 0))
        if when.cell_len + _STATUS_WIDTH + run.cell_len + 4 <= width:
            lines.append(Text("  ").join([when, status, run]))
        else:
            status.rstrip()
            lines += [Text("  ").join([when, status]), Text("  ") + run]
        price = Text("no price") if row.cost_usd is None else cost
        facts = [model, Text(f"{used.plain or '0/0'} tokens"), price]
        facts += [Text(f"{tools.plain} tools"), Text(f"{spans.plain} spans"), took]
        lines += _facts([fact for fact in facts if fact.plain], width)
    return Group(*lines)


def _facts(facts: Sequence[Text], width: int) -> list[Text]:
    """As many on a line as fit, none of them broken."""
    lines = [Text("  ") + facts[0]]
    for fact in facts[1:]:
        if lines[-1].cell_len + fact.cell_len + len(" · ·") > width:
            lines[-1].append(" ·")
            lines.append(Text("  ") + fact)
        else:
            lines[-1] += Text(" · ") + fact
    for line in lines:
        line.stylize("dim")
    return lines


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
    console.print(table if wide and wide <= console.width else _narrow(rows, pending, console.width))
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


def _used(row: Row) -> str:
    """Tokens and dollars, where there are any."""
    parts = [tokens(row.input_tokens, row.output_tokens), dollars(row.cost_usd) if row.cost_usd else ""]
    return " ".join(part for part in parts if part)


def render_waterfall(rows: Sequence[Row], console: Console, *, full: bool = False) -> None:
    """Print the spans of a run as an indented tree with bars, seconds, tokens, dollars and what went wrong.

    Arguments and results of tools follow in a line each, or in all their length with `full`.
    """
    if not rows:
        console.print(Text("no spans yet", style="dim"))
        return
    screen = min(console.width, _WATERFALL_MAX)
    names = [_name(row, screen) for row in rows]
    took = [duration(row.seconds) for row in rows]
    spent = [_used(row) for row in rows]
    took_width, token_width = max(map(len, took)), max(map(len, spent))
    left = screen - took_width - token_width - 6
    longest = min(max(name.cell_len for name in names), _NAME_MAX)
    name_width = left if screen < _NARROW else min(longest, max(left - _BAR_MIN, 12))
    bar_width = left - name_width
    total = max(row.offset_s + row.seconds for row in rows)
    for row, name, seconds, used in zip(rows, names, took, spent, strict=True):
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
        for sign, said in (("→", row.arguments), ("←", row.result)):
            _print_said(console, "  " * (min(row.depth, 12) + 1) + sign + " ", said, full)


def _print_said(console: Console, lead: str, said: str, full: bool) -> None:
    """What was said to a tool or by it."""
    if not said:
        return
    if full:
        lines = harmless(said, multiline=True).split("\n")
        console.print(
            Text("\n".join(f"{lead if n == 0 else ' ' * len(lead)}{line}" for n, line in enumerate(lines)))
        )
        return
    line = Text(lead + harmless(" ".join(said[: 4 * _SAID_MAX].split())), style="dim")
    line.truncate(min(console.width, _SAID_MAX), overflow="ellipsis")
    console.print(line, no_wrap=True, overflow="crop", highlight=False)


def render_attempts(attempts: Sequence[GateAttempt], console: Console, *, full: bool = False) -> None:
    """Print how often the gate was asked, and what it found; `full` names every finding."""
    for attempt in attempts:
        found = attempt.findings
        said = ", ".join(f"{name} {status}" for name, status in sorted(attempt.validators.items()))
        line = Text(f"attempt {attempt.n}", style="bold") + Text(f"  {duration(attempt.seconds)}")
        if used := tokens(attempt.input_tokens, attempt.output_tokens):
            line += Text(f"  {used}")
        if attempt.cost_usd is not None:
            line += Text(f"  {dollars(attempt.cost_usd)}")
        paragraph(console, line + Text(f"  {harmless(said)}", style="dim"))
        for finding in found if full else found[:_FINDINGS_MAX]:
            where = f"{finding['file'] or '.'}:{finding['line']}"
            rule = f"{finding['severity']} [{finding['validator']}/{finding['rule']}]"
            message = " ".join(str(finding["message"]).split())
            paragraph(console, f"  {harmless(f'{where}  {rule} {message}')}", hanging=4)
        if len(found) > _FINDINGS_MAX and not full:
            console.print(Text(f"  … and {len(found) - _FINDINGS_MAX} more: -v", style="dim"))


def line_of(row: TraceSummary, pending: bool = False) -> Text:
    """A run on one line, for those that come one after another."""
    when, run, status, model, used, cost, tools, _spans, took = _cells(row, pending)
    status.pad_right(max(_STATUS_WIDTH - status.cell_len, 0))
    facts = [when, run, status, model, used, cost, Text(f"{tools.plain} tools"), took]
    return Text("  ").join([fact for fact in facts if fact.plain])
