"""The structure of Terraform's language: blocks, attributes, and every call, in templates as well.

It judges nothing: see `scan`.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from toolkit.checker.tokens import HclError, Token, Tokens, tokenize


class Attribute(NamedTuple):
    """`name = value`, the value as tokens without newlines."""

    name: str
    value: Tokens
    line: int


class Block(NamedTuple):
    """`type "label" … { body }`; a whole file is a block with an empty type."""

    type: str
    labels: tuple[str, ...]
    line: int
    attributes: list[Attribute]
    blocks: "list[Block]"

    def walk(self) -> "Iterator[Block]":
        """This block and all below it."""
        yield self
        for block in self.blocks:
            yield from block.walk()


class Call(NamedTuple):
    """A function call; `arguments` are split at the commas, and cut where they are longer than any path."""

    name: str
    arguments: tuple[Tokens, ...]
    line: int


# Enough for any literal path; a longer argument is cut, and so is no literal.
_ARGUMENT_TOKENS = 32

_CLOSING = {"(": ")", "[": "]", "{": "}"}


def parse(text: str) -> Block:
    """The structure of a `*.tf` file. Raises `HclError` where it has none."""
    try:
        tokens = tokenize(text)
        body, end = _body(tokens, 0, Block("", (), 1, [], []))
        if end != len(tokens):
            raise HclError("a brace too many", tokens[end].line)
        return body
    except RecursionError as error:
        raise HclError("nested too deeply", 1) from error


def calls(tokens: Sequence[Token]) -> Iterator[Call]:
    """Every function call in an expression, those in templates and in arguments included."""
    plain = [token for token in tokens if token.kind != "newline"]
    for here, token in enumerate(plain):
        follows = plain[here + 1] if here + 1 < len(plain) else None
        if token.kind == "ident" and follows and follows[:2] == ("punct", "("):
            yield Call(token.text, _arguments(plain, here + 2), token.line)
        for part in token.parts:
            if not isinstance(part, str):
                yield from calls(part)


def _arguments(tokens: Sequence[Token], start: int) -> tuple[Tokens, ...]:
    """The arguments of a call whose opening parenthesis is just before `start`."""
    arguments: list[list[Token]] = [[]]
    depth = 0
    for token in tokens[start : start + _ARGUMENT_TOKENS]:
        if token.kind == "punct" and token.text in ")]}":
            if depth == 0:
                break
            depth -= 1
        elif token.kind == "punct" and token.text in _CLOSING:
            depth += 1
        if depth == 0 and token[:2] == ("punct", ","):
            arguments.append([])
        else:
            arguments[-1].append(token)
    return tuple(tuple(argument) for argument in arguments if argument)


def literal(tokens: Sequence[Token]) -> str | None:
    """The text of an expression that is one string without anything to evaluate, else None."""
    if len(tokens) != 1 or tokens[0].kind != "string":
        return None
    texts = [part for part in tokens[0].parts if isinstance(part, str)]
    return "".join(texts) if len(texts) == len(tokens[0].parts) else None


def _body(tokens: Tokens, at: int, block: Block) -> tuple[Block, int]:
    """Fill `block` from the tokens at `at`; returns it and the place of the brace that ends it."""
    while at < len(tokens) and tokens[at][:2] != ("punct", "}"):
        token = tokens[at]
        if token.kind == "newline":
            at += 1
            continue
        # JSON-like quoted names are no attributes in this language, so an identifier must come first.
        if token.kind != "ident":
            raise HclError(f"{token.text[:20]!r} where a block or an argument begins", token.line)
        at += 1
        if at < len(tokens) and tokens[at][:2] == ("punct", "="):
            at = _attribute(tokens, at + 1, token, block)
        else:
            at = _block(tokens, at, token, block)
    return block, at


def _attribute(tokens: Tokens, at: int, name: Token, block: Block) -> int:
    depth, value = 0, list[Token]()
    while at < len(tokens):
        token = tokens[at]
        opens, closes = (
            token.kind == "punct" and token.text in _CLOSING,
            token.kind == "punct" and token.text in ")]}",
        )
        if depth == 0 and (token.kind == "newline" or closes):
            break
        depth += opens - closes
        if token.kind != "newline":
            value.append(token)
        at += 1
    block.attributes.append(Attribute(name.text, tuple(value), name.line))
    return at


def _block(tokens: Tokens, at: int, name: Token, parent: Block) -> int:
    labels: list[str] = []
    while at < len(tokens) and tokens[at].kind in ("ident", "string"):
        text = literal(tokens[at : at + 1]) if tokens[at].kind == "string" else tokens[at].text
        if text is None:
            raise HclError("a label is plain text", tokens[at].line)
        labels.append(text)
        at += 1
    if at >= len(tokens) or tokens[at][:2] != ("punct", "{"):
        raise HclError(f"no block or argument begins with {name.text[:40]}", name.line)
    block, at = _body(tokens, at + 1, Block(name.text, tuple(labels), name.line, [], []))
    if at >= len(tokens):
        raise HclError(f"the block {name.text} is not closed", name.line)
    parent.blocks.append(block)
    return at + 1
