"""Help on a screen of fewer columns than the fifty that Click takes at least."""

from collections.abc import Iterable

import click
from typing_extensions import override

CLICK_NEEDS = 52
"""Click wraps at fifty columns and two of margin, however few there are (`HelpFormatter.__init__`)."""

LEAST = 24


class NarrowFormatter(click.HelpFormatter):
    """Click's, and on a narrow screen of its width, with what an option does below the option."""

    def __init__(
        self, indent_increment: int = 2, width: int | None = None, max_width: int | None = None
    ) -> None:
        self._narrow = False
        if width is None:
            import shutil

            columns = shutil.get_terminal_size().columns
            self._narrow = columns < CLICK_NEEDS
            width = max(columns - 1, LEAST) if self._narrow else None
        super().__init__(indent_increment, width, max_width)

    @override
    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Two columns where there is room for them."""
        if not self._narrow:
            super().write_dl(rows, col_max, col_spacing)
            return
        for name, text in rows:
            self.write(f"{'':{self.current_indent}}{name}\n")
            if text:
                with self.indentation():
                    self.write_text(text)


class HelpContext(click.Context):
    """A context whose help fits the screen."""

    formatter_class = NarrowFormatter
