"""An expression of Terraform, read to a value where that takes no more than literals and names.

Whatever it does not know is `UNKNOWN`, or a `Map` that is not `complete`; it never guesses.
"""

from collections.abc import Callable
from typing import Final, NamedTuple, Protocol, TypeAlias

from toolkit.checker.tokens import Token, Tokens


class Unknown:
    """The one value of which nothing is known."""


UNKNOWN: Final = Unknown()

MAX_CHARS = 10_000
"""Of a text; twenty locals that each name the one before twice make a million of one letter."""


class Map(NamedTuple):
    """An object; not `complete` where it may have more keys than these."""

    items: "dict[str, Value]"
    complete: bool = True


Value: TypeAlias = "str | bool | list[Value] | Map | Unknown | None"
"""Numbers are their digits."""


class Scope(Protocol):
    """What gives names a meaning; `depth` counts how many were followed to get there."""

    def value(self, tokens: Tokens, depth: int = 0) -> Value:
        """What an expression is worth."""
        ...

    def local(self, name: str, depth: int) -> Value:
        """The value of `local.NAME`."""
        ...

    def variable(self, name: str, depth: int) -> Value:
        """The value of `var.NAME`."""
        ...


class Reader:
    """One pass over the tokens of an expression, which have no ends of lines among them."""

    def __init__(self, tokens: Tokens, scope: Scope, depth: int) -> None:
        self.tokens = tokens
        self.scope = scope
        self.depth = depth
        self.at = 0

    def expression(self) -> Value:
        """The value of what comes next; anything but a plain value is passed over and unknown."""
        value = self._primary()
        while self._is("."):
            self.at += 1
            value = self._key(value, self._take().text)
        if self.at < len(self.tokens) and self._continues():
            self._pass_over()
            return UNKNOWN
        return value

    def _primary(self) -> Value:
        token = self._take()
        if token.kind == "string":
            return self._text(token)
        if token.kind == "number":
            return token.text
        if token.kind == "ident":
            return self._named(token.text)
        opened: dict[str, Callable[[], Value]] = {"{": self._object, "[": self._list, "(": self._inner}
        return opened[token.text]() if token.text in opened else UNKNOWN

    def _text(self, token: Token) -> Value:
        parts = [p if isinstance(p, str) else self.scope.value(p, self.depth + 1) for p in token.parts]
        if len(parts) == 1:
            return parts[0]
        texts = [part for part in parts if isinstance(part, str)]
        known = len(texts) == len(parts) and sum(map(len, texts)) <= MAX_CHARS
        return "".join(texts) if known else UNKNOWN

    def _named(self, name: str) -> Value:
        if name in ("true", "false", "null"):
            return {"true": True, "false": False}.get(name)
        if self._is("("):
            self.at += 1
            return _call(name, self._items(")"))
        if name in ("local", "var") and self._is("."):
            self.at += 1
            look_up = self.scope.local if name == "local" else self.scope.variable
            return look_up(self._take().text, self.depth)
        return UNKNOWN

    def _inner(self) -> Value:
        found = self._items(")")
        return found[0] if len(found) == 1 else UNKNOWN

    def _list(self) -> Value:
        if self._is("for"):
            return self._unread("]")
        return self._items("]")

    def _items(self, closing: str) -> list[Value]:
        found: list[Value] = []
        while self.at < len(self.tokens) and not self._is(closing):
            found.append(self.expression())
            if self._is(","):
                self.at += 1
            elif self._is("..."):
                self.at += 1
                found.append(UNKNOWN)
        self.at += 1
        return found

    def _object(self) -> Value:
        if self._is("for"):
            return self._unread("}")
        items: dict[str, Value] = {}
        complete = True
        while self.at < len(self.tokens) and not self._is("}"):
            key = self._primary_key()
            if not (self._is("=") or self._is(":")):
                return self._unread("}")
            self.at += 1
            value = self.expression()
            complete = complete and key is not None
            if key is not None:
                items[key] = value
            if self._is(","):
                self.at += 1
        self.at += 1
        return Map(items, complete)

    def _primary_key(self) -> str | None:
        token = self._take()
        if token.kind == "ident":
            return token.text
        if token.text == "(":
            value = self._inner()
        else:
            value = self._text(token) if token.kind == "string" else UNKNOWN
        return value if isinstance(value, str) else None

    def _key(self, value: Value, name: str) -> Value:
        return value.items.get(name, UNKNOWN) if isinstance(value, Map) else UNKNOWN

    def _unread(self, closing: str) -> Value:
        """Pass over what is left up to a closing bracket."""
        depth = 1
        while self.at < len(self.tokens) and depth:
            text = self._take()
            if text.kind == "punct":
                depth += (text.text in "([{") - (text.text in ")]}")
        return Map({}, complete=False) if closing == "}" else UNKNOWN

    def _continues(self) -> bool:
        """Whether an operator or an index follows, rather than the end of the value."""
        token = self.tokens[self.at]
        return token.kind == "punct" and token.text not in (",", ")", "]", "}", "=", ":", "...")

    def _pass_over(self) -> None:
        """To the end of this value: a comma, a closing bracket, or the key of the next item."""
        depth = waiting = 0
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if token.kind == "punct":
                if depth == 0 and token.text in (",", ")", "]", "}"):
                    return
                depth += (token.text in "([{") - (token.text in ")]}")
                waiting += (token.text == "?") - (token.text == ":")
            elif depth == 0 and waiting <= 0 and self._starts_item():
                return
            self.at += 1

    def _starts_item(self) -> bool:
        follows = self.tokens[self.at + 1] if self.at + 1 < len(self.tokens) else None
        return follows is not None and follows.kind == "punct" and follows.text == "="

    def _is(self, text: str) -> bool:
        if self.at >= len(self.tokens):
            return False
        token = self.tokens[self.at]
        return token.kind in ("punct", "ident") and token.text == text

    def _take(self) -> Token:
        if self.at >= len(self.tokens):
            return Token("end", "", 0)
        self.at += 1
        return self.tokens[self.at - 1]


def _call(name: str, arguments: list[Value]) -> Value:
    """The functions that tags and names are made with; any other is unknown."""
    if name == "merge":
        return _merged(arguments)
    if len(arguments) != 1:
        return UNKNOWN
    (only,) = arguments
    if name in ("tomap", "tolist", "toset", "tostring"):
        return only
    if name in ("lower", "upper", "trimspace") and isinstance(only, str):
        return {"lower": only.lower(), "upper": only.upper()}.get(name, only.strip())
    return UNKNOWN


def _merged(maps: list[Value]) -> Value:
    merged: dict[str, Value] = {}
    complete = True
    for one in maps:
        if not isinstance(one, Map):
            # What it holds is not known, and it may put another value in the place of any key so far.
            complete = complete and one is None
            merged = dict.fromkeys(merged, UNKNOWN) if one is not None else merged
            continue
        merged |= one.items
        complete = complete and one.complete
    return Map(merged, complete)
