"""Comparing: new inputs with old inputs (Diff), and what the emulator reports with what was asked (Read)."""

import json
from collections.abc import Mapping
from typing import Any

from toolkit.local.provider.wire import Props

OPEN_MAPS = frozenset({"tags", "variables", "dimensions", "parameters"})
"""Maps whose keys are the user's data: a key more or less in them is a difference."""


def changed(news: Props, olds: Props) -> list[str]:
    """The names of the top-level properties that differ, in order; `hash` keys of archives do not count."""
    names = sorted(news.keys() | olds.keys())
    return [name for name in names if _hashless(news.get(name)) != _hashless(olds.get(name))]


def _hashless(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _hashless(inner) for name, inner in value.items() if name != "hash"}
    if isinstance(value, list):
        return [_hashless(inner) for inner in value]
    return value


def in_words_of(asked: Any, live: Any, name: str = "") -> Any:
    """What is live, said as the inputs say it, so that only a real difference shows.

    AWS answers with more than was given (defaults of a block), in another order (sets) and with
    documents in another layout (policies). Those come back as they were asked for; a value that
    really differs comes back as it is.
    """
    if same(asked, live):
        return asked
    if isinstance(asked, Mapping) and isinstance(live, Mapping) and name not in OPEN_MAPS:
        return {key: in_words_of(asked[key], live[key], key) for key in asked if key in live}
    if isinstance(asked, list) and isinstance(live, list) and len(asked) == len(live):
        said = [in_words_of(a, b, name) for a, b in zip(asked, live, strict=True)]
        return asked if same(asked, said) else said
    return live


def same(one: Any, other: Any) -> bool:
    """Whether two values mean the same to AWS: JSON documents by content, lists of strings as sets."""
    if one == other:
        return True
    if isinstance(one, str) and isinstance(other, str) and one[:1] in "{[" and other[:1] in "{[":
        return _document(one) == _document(other)
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return sorted(map(_canonical, one)) == sorted(map(_canonical, other))
    return False


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _document(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text
