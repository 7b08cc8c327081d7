"""Rows as a table where the screen is wide enough, else a few lines each; nothing is ever cut."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def render_rows(console: "Console", columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print the rows. The first column names the row and stays in one piece at any width."""
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    shown = [[_one_line(cell) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(columns, *shown, strict=True)]
    if sum(widths) + 2 * len(widths) <= console.width:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for name in columns:
            table.add_column(name, no_wrap=True)
        for row in shown:
            table.add_row(*map(Text, row))
        console.print(table)
        return
    for row in shown:
        console.print(Text(row[0], "bold"))
        for name, cell in zip(columns[1:], row[1:], strict=True):
            if cell:
                console.print(Text(f"  {name}: {cell}"))


def _one_line(text: str) -> str:
    from toolkit.cli.text import harmless

    return harmless(" ".join(text.split()))
