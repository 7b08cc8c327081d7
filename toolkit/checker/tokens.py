"""Terraform's language as tokens, the templates in strings and heredocs included.

A reader of our own because the scan needs what a general one does not give: what stands inside heredocs and
quoted templates, with lines, fast (python-hcl2 takes heredocs for plain text and needs 1.5 s of CPU to
start). It follows HCL's scanner where text could hide from it (heredoc ends, escapes, comments), and refuses
text that the two might read differently: code that only one of them takes for a string would escape the scan.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias


class HclError(Exception):
    """The text cannot be read; `line` counts from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line


class Token(NamedTuple):
    """`kind` is ident, number, punct, newline or string; a string's `parts` are texts and nested tokens."""

    kind: str
    text: str
    line: int
    parts: "tuple[str | Tokens, ...]" = ()


Tokens: TypeAlias = tuple[Token, ...]


MAX_TOKENS = 200_000
"""In one file; a Terraform file of 10,000 lines has a quarter of it."""

_SPACE = re.compile(r"[ \t\r]+")
_COMMENT = re.compile(r"(?:#|//)[^\n]*")
_IDENT = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_NEWLINE = re.compile(r"\n")
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_HEREDOC = re.compile(r"<<-?([A-Za-z_][A-Za-z0-9_-]*)\r?\n")
_PUNCT = re.compile(r"==|!=|<=|>=|=>|&&|\|\||\.\.\.|::|.", re.DOTALL)
_PLAIN = re.compile(r'[^"\\$%\n]+|\$+(?!\{)|%+(?!\{)')
_DOLLARS = re.compile(r"(\$+|%+)\{")
_ESCAPE = re.compile(r'\\(?:([nrt"\\])|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))')
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}
_LONE_RETURN = re.compile(r"\r(?!\n)")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

# Exactly what Go's bytes.TrimSpace takes off: a line that only we took for a heredoc's end would hide code.
_GO_SPACE = " \t\n\v\f\r\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)


def tokenize(text: str) -> Tokens:
    """The tokens of a `*.tf` file. Raises `HclError`; `RecursionError` where templates nest too deeply."""
    if found := _LONE_RETURN.search(text):
        raise HclError("a carriage return without a newline", text.count("\n", 0, found.start()) + 1)
    return tuple(_Lexer(text).tokens(nested=False))


def parse_template(text: str) -> Token:
    """A template file, or a string of `*.tf.json`, as one string token. Raises `HclError`."""
    try:
        return _Lexer(text).template_file()
    except RecursionError as error:
        raise HclError("nested too deeply", 1) from error


class _Lexer:
    """One pass over a text; position and line move on."""

    def __init__(self, text: str) -> None:
        if found := _CONTROL.search(text):
            raise HclError("control characters are refused", text.count("\n", 0, found.start()) + 1)
        self.text = text
        self.at = 0
        self.line = 1
        self.count = 0

    def tokens(self, *, nested: bool) -> Iterator[Token]:
        """Tokens to the end, or, `nested`, to the brace that closes an interpolation."""
        depth = 0
        while self.at < len(self.text):
            token = self._next()
            if token is None:
                continue
            if token[:2] == ("punct", "{"):
                depth += 1
            elif token[:2] == ("punct", "}"):
                if nested and depth == 0:
                    return
                depth -= 1
            self.count += 1
            if self.count > MAX_TOKENS:
                raise HclError(f"more than {MAX_TOKENS} tokens in one file", self.line)
            yield token
        if nested:
            raise HclError("an interpolation is not closed", self.line)

    def template_file(self) -> Token:
        """The whole text as a template, where a backslash and a quote are plain text."""
        parts: list[str | Tokens] = []
        while self.at < len(self.text):
            self._piece(parts, quoted=False)
        return Token("string", "", 1, tuple(parts))

    def _next(self) -> Token | None:
        line = self.line
        if self._take(_SPACE) or self._take(_COMMENT):
            return None
        if self.text.startswith("/*", self.at):
            self._skip_comment()
            return None
        if self._take(_NEWLINE):
            return Token("newline", "\n", line)
        if self.text[self.at] == '"':
            return self._quoted()
        if found := self._take(_HEREDOC):
            return self._heredoc(found[1], line)
        if not self.text[self.at].isascii() or self.text.startswith("<<", self.at):
            raise HclError("only strings and comments hold other letters than ASCII, or <<", line)
        for kind, pattern in (("ident", _IDENT), ("number", _NUMBER), ("punct", _PUNCT)):
            if found := self._take(pattern):
                return Token(kind, found[0], line)
        raise AssertionError("_PUNCT matches any character")

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        if found := pattern.match(self.text, self.at):
            self.at = found.end()
            self.line += found[0].count("\n")
        return found

    def _skip_comment(self) -> None:
        end = self.text.find("*/", self.at + 2)
        if end < 0:
            raise HclError("a comment is not closed", self.line)
        self.line += self.text.count("\n", self.at, end)
        self.at = end + 2

    def _quoted(self) -> Token:
        start, line = self.at, self.line
        self.at += 1
        parts: list[str | Tokens] = []
        while not self.text.startswith('"', self.at):
            if self.at >= len(self.text) or self.text[self.at] == "\n":
                raise HclError("a string is not closed", line)
            self._piece(parts, quoted=True)
        self.at += 1
        return Token("string", self.text[start : self.at], line, tuple(parts))

    def _heredoc(self, marker: str, line: int) -> Token:
        start = self.at
        parts: list[str | Tokens] = []
        fresh = True
        while True:
            if fresh and (end := self._end_of_line(marker)) is not None:
                text = self.text[start : self.at]
                self.at = end
                return Token("string", text, line, tuple(parts))
            if self.at >= len(self.text):
                raise HclError(f"the heredoc {marker} is not closed", line)
            # Only a line that began in this heredoc's own text can be its end.
            fresh = self._piece(parts, quoted=False).endswith("\n")

    def _end_of_line(self, marker: str) -> int | None:
        """The end of this line where it holds the marker of a heredoc and nothing else."""
        end = self.text.find("\n", self.at)
        end = len(self.text) if end < 0 else end
        return end if self.text[self.at : end].strip(_GO_SPACE) == marker else None

    def _piece(self, parts: list[str | Tokens], *, quoted: bool) -> str:
        """Read one piece of a template into `parts`; returns its text, empty for an interpolation."""
        if found := _DOLLARS.match(self.text, self.at):
            self.at = found.end()
            if len(found[1]) > 2:
                raise HclError(f"{found[0]} can be read in two ways; write it apart", self.line)
            if len(found[1]) == 1:
                parts.append(tuple(self.tokens(nested=True)))
                return ""
            text = found[1][0] + "{"
        elif quoted and (found := _ESCAPE.match(self.text, self.at)):
            self.at = found.end()
            code = found[2] or found[3]
            text = chr(min(int(code, 16), 0x10FFFF)) if code else _ESCAPED.get(found[1], found[1])
        else:
            found = self._take(_PLAIN)
            text = found[0] if found else self.text[self.at]
            if not found:
                self.at += 1
                self.line += text == "\n"
        parts.append(text)
        return text
