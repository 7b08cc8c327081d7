"""Text of a model, a tool or a user, made fit for a terminal: shown, never obeyed."""

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

# Format characters turn text around or hide it; the others have no form of their own.
_UNSHOWN = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")

# The same, as far as JSON leaves them as they are (it escapes what is below a space by itself).
_IN_JSON = re.compile("[\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def harmless(text: str, *, multiline: bool = False) -> str:
    """Text that a terminal shows and does not obey: controls become visible, invisible ones a `�`.

    One line, unless `multiline` keeps the line ends (and makes a tab four spaces).
    """
    if text.isascii() and text.isprintable():
        return text
    if multiline:
        lines = text.replace("\r\n", "\n").replace("\t", "    ").split("\n")
        return "\n".join("".join(map(_shown, line)) for line in lines)
    return "".join(map(_shown, text))


def harmless_json(text: str) -> str:
    """A JSON document with the characters escaped that a terminal might obey; it means the same."""
    return _IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def paragraph(console: "Console", text: "Text | str", hanging: int = 2) -> None:
    """Print prose: a terminal gets it broken between words, what follows the first line `hanging` cells in.

    A word that is longer than a line (an ARN, a path, a run id) is left to the terminal, so that it is in one
    piece for whoever copies it. Not for commands: a broken one would be run by halves.
    """
    from rich.text import Text

    whole = Text(text) if isinstance(text, str) else text
    for line in whole.split("\n", allow_blank=True):
        lines = _between_words(line, console.width, " " * hanging) if console.is_terminal else [line]
        for each in lines:
            console.print(each)


def _between_words(text: "Text", width: int, lead: str) -> "list[Text]":
    """Lines of a width, all but the first after `lead`. Rich's own wrapping would cut a long word."""
    from rich.text import Text

    first, *words = text.split(" ", allow_blank=True)
    lines = [first]
    for word in words:
        if lines[-1].cell_len + 1 + word.cell_len <= width or not lines[-1].plain.strip():
            lines[-1] = lines[-1] + Text(" ") + word
        elif word.plain:  # of several spaces at the end of a line none is needed
            lines.append(Text(lead) + word)
    return lines


def labelled(console: "Console", label: str, value: str, column: int) -> None:
    """Print `  label   value`; on a screen that this does not fit, the value below its label."""
    from rich.text import Text

    line = f"  {label:{column}}{value}"
    if console.is_terminal and len(line) > console.width:
        console.print(Text(f"  {label}"))
        line = f"    {value}"
    console.print(Text(line))


def _shown(char: str) -> str:
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    return "\ufffd" if unicodedata.category(char) in _UNSHOWN else char
