"""What was read out of a prompt, as values that all other modules pass on."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from toolkit.local.model.present import Present


class Wish(NamedTuple):
    """One resource that is asked for; `name` may be empty, `asked` says which options the prompt names.

    `guessed` are those of the asked whose number is ours ("public subnets" are two). `start` and
    `end` say where the prompt speaks of it first; one that only follows from others has none.
    """

    kind: str
    name: str
    named: bool
    options: dict[str, str]
    asked: frozenset[str]
    start: int = -1
    end: int = -1
    guessed: frozenset[str] = frozenset()


class Wishes(NamedTuple):
    """All that was read out of a prompt.

    `ignored` are its words that nothing took up, `beyond` the same where they are of substance: then nothing
    is made. `spoken` are kinds that it only names as users of something, `present` those that it says exist
    already.
    """

    text: str
    wishes: tuple[Wish, ...]
    unknown: tuple[str, ...]
    region: str
    ignored: tuple[str, ...]
    spoken: tuple[str, ...] = ()
    present: Mapping[str, Present] = MappingProxyType({})
    beyond: tuple[str, ...] = ()
