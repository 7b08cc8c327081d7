"""What a variable's own `validation` asks for, where that is said simply.

Understood, anywhere in a condition: `contains([…], x)`, `x == "…"`, `startswith`, `endswith`,
`regex("…", x)`, `length(x) >= 3`, `x >= 3`. Of terms joined by `||` all are tried, which does no harm.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

from toolkit.checker.hcl import Call, calls, literal
from toolkit.checker.placeholder_values import ENVIRONMENT, text
from toolkit.checker.tokens import Token, Tokens

MAX_SIZE = 32
MAX_TEXT = 2_000
"""No program makes this one spend more on a value, whatever its conditions ask for."""

MAX_MATCHED = 64
MAX_PATTERNS = 4
"""Of a text, and of patterns: four loose repeats over so many letters are tried in well under a second."""

_NUMBER = re.compile(r"\d{1,15}(?:\.\d{1,6})?")

Bounds: TypeAlias = tuple[float | None, float | None]


class Hints(NamedTuple):
    """Bounds are inclusive; those of `length` are of the text or of the list that the variable is."""

    choices: tuple[str, ...] = ()
    prefix: str = ""
    suffix: str = ""
    patterns: tuple[str, ...] = ()
    bounds: Bounds = (None, None)
    length: Bounds = (None, None)

    def elements(self) -> "Hints":
        """What is asked of the elements of a list: all but its length."""
        return self._replace(length=(None, None))

    def size(self, wanted: int) -> int:
        """How many elements, `wanted` if that is allowed."""
        return int(min(_within(wanted, self.length), MAX_SIZE))

    def number(self, wanted: float, count: int) -> float:
        """A number that is asked for, `wanted` if that is allowed."""
        numbers = [float(choice) for choice in self.choices if _NUMBER.fullmatch(choice)]
        if numbers:
            wanted, count = numbers[(count - 1) % len(numbers)], 1
        found = _within(wanted, self.bounds)
        return int(found) if found == int(found) else found

    def text(self, wanted: str, count: int) -> str:
        """A text that is asked for, `wanted` if that is allowed."""
        if self.choices:
            return self.choices[(count - 1) % len(self.choices)]
        candidates = [self._shaped(value) for value in (wanted, *_POOL)]
        return next((value for value in candidates if self._fits(value)), candidates[0])

    def _shaped(self, value: str) -> str:
        value = value if value.startswith(self.prefix) else self.prefix + value
        value = value if value.endswith(self.suffix) else value + self.suffix
        least, most = self.length
        value = value + "x" * (int(min(least, MAX_TEXT)) - len(value)) if least else value
        return value[: int(most)] if most else value

    def _fits(self, value: str) -> bool:
        short = len(value) <= MAX_MATCHED or not self.patterns
        return short and all(re.search(pattern, value) for pattern in self.patterns[:MAX_PATTERNS])


NO_HINTS = Hints()

# What public modules ask for by pattern: short names, versions, dates, ids.
_POOL = (
    *ENVIRONMENT,
    *[
        "app",
        "abc",
        "abcdef",
        "abcdefgh",
        "abcdef12",
        "ABC",
        "Abc",
        "example1",
        "exampleOne",
        "my_app",
        "/example",
        "example/",
        "a.b",
    ],
    *[
        "1",
        "12",
        "123",
        "1234",
        "12345",
        "123456",
        "1.2",
        "1.2.3",
        "v1.2.3",
        "1.29",
        "2030-01-01",
        "12:00",
        "03:00-04:00",
    ],
    *["sun:05:00-sun:06:00", "https://example.com", "s3://example-bucket-name/key"],
    *map(
        text,
        [
            "cidr",
            "vpc_id",
            "subnet_id",
            "sg_id",
            "ami",
            "role_arn",
            "kms_arn",
            "account",
            "region",
            "az",
            "email",
            "domain",
        ],
    ),
    *map(text, ["zone_id", "ip", "instance_type", "password"]),
)


def read_hints(name: str, conditions: Sequence[Tokens]) -> Hints:
    """What the conditions of the variable of this name ask for."""
    hints = Hints()
    for condition in conditions:
        for call in calls(condition):
            hints = _of_call(hints, call)
        for operand, sign, value in _comparisons(condition, name):
            hints = _of_comparison(hints, operand, sign, value)
    return hints


def _of_call(hints: Hints, call: Call) -> Hints:
    if call.name == "contains" and len(call.arguments) == 2:
        return hints._replace(choices=hints.choices or tuple(_scalars(call.arguments[0])))
    if call.name in ("startswith", "endswith") and len(call.arguments) == 2:
        fixed = literal(call.arguments[1]) or ""
        return hints._replace(prefix=fixed) if call.name == "startswith" else hints._replace(suffix=fixed)
    if call.name in ("regex", "regexall") and call.arguments:
        pattern = literal(call.arguments[0])
        return hints._replace(patterns=(*hints.patterns, pattern)) if pattern and _is_tame(pattern) else hints
    return hints


def _is_tame(pattern: str) -> bool:
    """Whether Python reads what Go's RE2 reads, and in a time that a program cannot choose.

    RE2 never backtracks, Python does: few repeats, and none of a group but a short counted one.
    """
    repeated = re.search(r"\)(?:[*+]|\{(?![1-4]\}))", pattern)
    loose = re.findall(r"[*+?|]|\{\d*,\d*\}", pattern)  # a fixed count such as {4} does not backtrack
    if repeated or len(loose) > 4 or len(pattern) > 200 or "(?" in pattern:
        return False
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return False
    return True


def _scalars(tokens: Tokens) -> Iterator[str]:
    for token in tokens:
        if token.kind == "number":
            yield token.text
        elif token.kind == "string" and (found := literal((token,))) is not None:
            yield found


def _comparisons(tokens: Tokens, name: str) -> Iterator[tuple[str, str, Token]]:
    """Each `var.x SIGN literal` and `length(var.x) SIGN literal`; the operand is `value` or `length`."""
    plain = ["var", ".", name]
    measured = ["length", "(", *plain, ")"]
    texts = [token.text for token in tokens]
    for at in range(len(texts)):
        for operand, form in (("length", measured), ("value", plain)):
            end = at + len(form)
            inside = operand == "value" and at > 0 and texts[at - 1] == "("
            if texts[at:end] == form and end + 1 < len(texts) and not (inside and texts[end] == ")"):
                yield operand, texts[end], tokens[end + 1]


def _of_comparison(hints: Hints, operand: str, sign: str, value: Token) -> Hints:
    if value.kind == "string" and sign == "==" and operand == "value":
        found = literal((value,))
        return hints._replace(choices=(*hints.choices, found)) if found else hints
    if value.kind != "number":
        return hints
    if not _NUMBER.fullmatch(value.text):
        return hints
    limit = float(value.text)
    low, high = {">=": (limit, None), ">": (limit + 1, None), "<=": (None, limit), "<": (None, limit - 1),
                 "==": (limit, limit)}.get(sign, (None, None))  # fmt: skip
    if operand == "length":
        return hints._replace(length=_merged(hints.length, low, high))
    return hints._replace(bounds=_merged(hints.bounds, low, high))


def _merged(old: Bounds, low: float | None, high: float | None) -> Bounds:
    return old[0] if low is None else low, old[1] if high is None else high


def _within(wanted: float, bounds: Bounds) -> float:
    low, high = bounds
    if low is not None and wanted < low:
        return low
    return high if high is not None and wanted > high else wanted
