"""Rows as CSV for a spreadsheet, which must not take what a model wrote for a formula."""

import csv
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from toolkit.cli.text import harmless

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a cell begins with that a spreadsheet computes; an apostrophe before it makes it text.

https://owasp.org/www-community/attacks/CSV_Injection"""


def cell(value: Any) -> Any:
    """The value as a cell: numbers as they are, texts that begin like a formula behind an apostrophe."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return value.hex() if isinstance(value, bytes) else value
    shown = harmless(value, multiline=True) if sys.stdout.isatty() else value
    return f"'{shown}" if shown.lstrip(" ").startswith(_FORMULA) else shown


def write_csv(rows: Iterable[Sequence[Any]], columns: Sequence[str] = ()) -> None:
    """Print the rows as RFC 4180 has it, below the names of the columns if there are any."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    if columns:
        writer.writerow(columns)
    writer.writerows([cell(value) for value in row] for row in rows)
    sys.stdout.flush()
