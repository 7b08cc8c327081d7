"""Numbers and times of runs as people read them, and the list of runs where it needs no drawing.

Rich takes as long to load as the whole of a list to read, so a list that is plain letters and fits the screen
is written without it.
"""

import os
import sys
from collections.abc import Collection, Sequence

from toolkit.contracts import TraceSummary

COLUMNS = ("began", "run", "status", "model", "in/out", "cost", "tools", "spans", "took")
RIGHT = ("in/out", "cost", "tools", "spans", "took")

STYLES = {
    "ok": "green",
    "running": "cyan",
    "queued": "cyan",
    "not_converged": "yellow",
    "budget_exceeded": "yellow",
    "cancelled": "magenta",
    "error": "red",
}


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


def tokens(tokens_in: int, tokens_out: int) -> str:
    """Tokens in and out, like 12.3k/950; nothing where there are none."""
    return f"{count(tokens_in)}/{count(tokens_out)}" if tokens_in or tokens_out else ""


def began(start: str) -> str:
    """`2026-11-21T13:29:38.791Z` as `11-21 13:29`."""
    return f"{start[5:10]} {start[11:16]}"


def plain_list(rows: Sequence[TraceSummary], pending: Collection[str], width: int) -> list[str] | None:
    """The list as lines of styled text; None where it has other letters than ASCII or is too wide."""
    import click

    cells = [_cells(row, row.run_id in pending) for row in rows]
    widths = [max(map(len, column)) for column in zip(COLUMNS, *cells, strict=True)]
    if sum(widths) + 2 * len(widths) > width or not all(_plain(cell) for row in cells for cell in row):
        return None
    lines = [click.style(_line(COLUMNS, widths), dim=True)]
    for row, each in zip(rows, cells, strict=True):
        when, run, status, *others = _padded(each, widths)
        colour = STYLES.get(row.status, "red")
        shown = [
            click.style(when, dim=True),
            click.style(run, bold=True),
            click.style(status, fg=colour),
            *others,
        ]
        lines.append("  ".join(shown))
    return lines


def styled() -> bool:
    """Whether standard output takes colours."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _cells(row: TraceSummary, pending: bool) -> tuple[str, ...]:
    return (
        began(row.start),
        row.run_id,
        f"{row.status}*" if pending else row.status,
        row.model,
        tokens(row.input_tokens, row.output_tokens),
        dollars(row.cost_usd),
        str(row.tool_calls),
        str(row.spans),
        duration(row.seconds),
    )


def _plain(cell: str) -> bool:
    return cell.isascii() and (cell.isprintable() or not cell)


def _padded(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [
        cell.rjust(width) if name in RIGHT else cell.ljust(width)
        for name, cell, width in zip(COLUMNS, cells, widths, strict=True)
    ]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(_padded(cells, widths))
