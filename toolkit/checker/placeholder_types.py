"""Type constraints of variables, as far as a value has to be made for them.

https://developer.hashicorp.com/terraform/language/expressions/type-constraints
"""

from typing import NamedTuple

from toolkit.checker.hcl import literal
from toolkit.checker.tokens import HclError, Token, Tokens, tokenize

OPTIONAL = "optional"
"""The name of a member that may be left out."""

MAX_DEPTH = 16
"""What is nested deeper counts as anything."""

_COLLECTIONS = ("list", "set", "map")


class Type(NamedTuple):
    """`inner`: of a collection the one type, of a tuple all; `members`: of an object, by name."""

    name: str
    inner: "tuple[Type, ...]" = ()
    members: "dict[str, Type]" = {}


ANY = Type("any")


def read_type(tokens: Tokens) -> Type:
    """The type that an expression names; `any` where there is none, or none that can be read."""
    text = literal(tokens)
    if text is not None:  # the old form, and JSON's: type = "list"
        try:
            tokens = tokenize(text)
        except HclError:
            return ANY
    return _Reader([t for t in tokens if t.kind != "newline"]).type()


class _Reader:
    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.at = 0
        self.depth = 0

    def type(self) -> Type:
        self.depth += 1
        found = self._type() if self.depth <= MAX_DEPTH else ANY
        self.depth -= 1
        return found

    def _type(self) -> Type:
        name = self._take()
        if name in _COLLECTIONS:
            inner = self.type() if self._skip("(") else ANY
            self._skip(")")
            return Type(name, (inner,))
        if name == "tuple" and self._skip("(") and self._skip("["):
            return Type(name, tuple(self._until("]")))
        if name == "object" and self._skip("(") and self._skip("{"):
            return Type(name, members=self._members())
        if name == OPTIONAL and self._skip("("):
            self._to_end()
            return Type(OPTIONAL)
        return Type(name) if name in ("string", "number", "bool") else ANY

    def _until(self, end: str) -> list[Type]:
        found = []
        while self.at < len(self.tokens) and not self._skip(end):
            found.append(self.type())
            self._skip(",")
        self._skip(")")
        return found

    def _members(self) -> dict[str, Type]:
        members: dict[str, Type] = {}
        while self.at < len(self.tokens) and not self._skip("}"):
            name = self._take().strip('"')
            if not self._skip("="):
                self._skip(":")
            members[name] = self.type()
            self._skip(",")
        self._skip(")")
        return members

    def _to_end(self) -> None:
        """Go past the parenthesis that closes the one just opened."""
        depth = 1
        while depth and self.at < len(self.tokens):
            text = self._take()
            depth += (text in "([{") - (text in ")]}") if len(text) == 1 else 0

    def _take(self) -> str:
        if self.at >= len(self.tokens):
            return ""
        self.at += 1
        return self.tokens[self.at - 1].text

    def _skip(self, text: str) -> bool:
        found = self.at < len(self.tokens) and self.tokens[self.at].text == text
        self.at += found
        return found
