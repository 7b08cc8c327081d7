"""Text of a prompt, a model or a tool, made fit for GitHub: shown, never obeyed.

Everything foreign stands in a code block or in a code span, where GitHub takes no `@name` for a mention, no
`closes #1` for an order, no tag for HTML and no address for a picture. Its fence is longer than any run of
backticks within. https://github.github.com/gfm/
"""

import re
import unicodedata

# Format characters turn text around or hide it; the others have no form of their own.
_UNSHOWN = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
_RUNS = re.compile(r"`+")
_SPACE = re.compile(r"\s+")
CUT = "… cut"
NONE = "-"


def block(text: str, limit: int) -> str:
    """A fenced block with the text in it, `limit` characters of it at most."""
    text = text.strip("\r\n")
    lines = shown(text[: limit + 1]).strip("\n")  # what is cut need not be looked at
    if max(len(text), len(lines)) > limit:
        lines = f"{lines[:limit].rstrip()}\n{CUT}"
    fence = "`" * max(3, _longest(lines) + 1)
    return f"{fence}text\n{lines}\n{fence}"


def span(text: str, limit: int = 200) -> str:
    """The text in one line as a code span, fit for a cell of a table; a dash for none."""
    text = text.strip()
    line = _SPACE.sub(" ", shown(text[: 2 * limit])).strip()
    if not line:
        return NONE
    if len(line) > limit or len(text) > 2 * limit:
        line = f"{line[:limit].rstrip()}{CUT[0]}"
    # A bar ends a cell of a table even within code, and what a backslash before it does differs by reader.
    line = line.replace("|", "¦")
    fence = "`" * (_longest(line) + 1)
    pad = " " if line[0] == "`" or line[-1] == "`" else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def subject(text: str, limit: int) -> str:
    """The first line as a title or a commit's subject: plain text where GitHub looks for orders.

    A title becomes the subject of a squashed commit, and a commit on the default branch closes issues, tells
    people, and with `[skip ci]` keeps checks from running:
    https://docs.github.com/en/actions/how-tos/manage-workflow-runs/skip-workflow-runs
    """
    lines = (_SPACE.sub(" ", line).strip() for line in shown(text).splitlines())
    line = next((line for line in lines if line), "")
    line = line.replace("[", "(").replace("]", ")").replace("://", ":// ").replace("`", "'")
    line = re.sub(r"(?i)\bgh-(?=\d)", "GH ", line)
    line = re.sub(r"([@#])(?=\w)", r"\1 ", line)
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"


def shown(text: str) -> str:
    """The text with a `�` for each character that hides or turns; lines stay lines, a tab is four spaces."""
    lines = text.replace("\r\n", "\n").replace("\t", "    ").split("\n")
    return "\n".join("".join(map(_shown, line)) for line in lines)


def _shown(char: str) -> str:
    return "\ufffd" if unicodedata.category(char) in _UNSHOWN else char


def _longest(text: str) -> int:
    return max((len(run) for run in _RUNS.findall(text)), default=0)
