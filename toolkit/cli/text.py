"""Text of a model, a tool or a user, made fit for a terminal: shown, never obeyed."""

import re
import unicodedata

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


def _shown(char: str) -> str:
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    return "\ufffd" if unicodedata.category(char) in _UNSHOWN else char
