"""What a type is to this provider: a table of properties and six verbs, and how a resource of it is made.

A `Kind` is stateless and shared by all threads. `id` is the one that pulumi-aws gives the type, so that
a state is the same whichever provider wrote it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from toolkit.local.provider.clients import Clients
from toolkit.local.provider.compare import changed, in_words_of
from toolkit.local.provider.errors import ProviderError
from toolkit.local.provider.table import Table, parse
from toolkit.local.provider.wire import Props

STACK_TAG = "tfkit:stack"
NAME_TAG = "tfkit:name"
"""The tag that finds things again whose ids AWS makes up.

A program may set it; where it does not, the provider does, and hides it from the program."""


@dataclass(frozen=True)
class Call:
    """One request: the emulator it goes to, and the name of the resource in the program."""

    clients: Clients
    urn: str

    @property
    def name(self) -> str:
        """The resource's name in the program: the last part of its URN."""
        return self.urn.rsplit("::", 1)[-1]

    def aws(self, service: str) -> Any:
        """The boto3 client of a service."""
        return self.clients.of(service)


class Kind:
    """A resource type. Its verbs raise botocore's errors, which the servicer translates."""

    type_name: ClassVar[str]
    takes: ClassVar[str]
    gives: ClassVar[str] = ""
    stored_only: ClassVar[Mapping[str, str]] = {}
    """Properties that are accepted and only kept in the state, each with the reason."""

    table: ClassVar[Table]
    outputs: ClassVar[frozenset[str]]

    def __init_subclass__(cls) -> None:
        cls.table = parse(cls.takes + " " + " ".join(cls.stored_only))
        cls.outputs = frozenset(cls.gives.split()) | (
            {"tagsAll"} if "tags" in cls.table.properties else frozenset()
        )

    def find(self, call: Call, inputs: Props) -> str | None:  # noqa: ARG002
        """The id of what has these inputs' name already, or None; parts of a parent are put again instead."""
        return None

    def tags(self, call: Call, id_: str) -> dict[str, str] | None:  # noqa: ARG002
        """The tags of an existing resource; None for a type without tags, which belongs to its parent."""
        return None

    def create(self, call: Call, inputs: Props) -> str:
        """Makes the resource and returns its id."""
        raise NotImplementedError

    def read(self, call: Call, id_: str, props: Props) -> Props | None:
        """The live properties, or None where it is gone."""
        raise NotImplementedError

    def update(self, call: Call, id_: str, inputs: Props) -> None:
        """Brings an existing resource to the inputs, whatever they were before."""
        raise NotImplementedError

    def delete(self, call: Call, id_: str, props: Props) -> None:
        """Deletes the resource; gone already is fine."""
        raise NotImplementedError

    def ours(self, call: Call, id_: str, inputs: Props) -> bool:
        """Whether an existing resource may be adopted: its `tfkit:stack` tag is the one of the inputs."""
        tags = self.tags(call, id_)
        if tags is None:
            return True
        stack = inputs.get("tags", {}).get(STACK_TAG)
        return stack is not None and tags.get(STACK_TAG) == stack


def make(kind: Kind, call: Call, inputs: Props) -> str:
    """Creates the resource, or adopts what an interrupted run left of it; returns its id.

    Raises `ProviderError` where something of that name exists that does not carry the same stack tag,
    or that differs in a property that cannot be changed.
    """
    existing = kind.find(call, inputs)
    if existing is None:
        return kind.create(call, inputs)
    where = f"{kind.type_name} {call.name}"
    live = kind.read(call, existing, inputs) or {}
    if not kind.ours(call, existing, inputs):
        raise ProviderError(
            f"{where}: something of that name ({existing}) exists that tfkit did not make",
            "delete or rename it, or choose another --stack",
        )
    differing = changed(inputs, refreshed(inputs, live))
    fixed = [name for name in differing if name in kind.table.replacing]
    if fixed:
        raise ProviderError(
            f"{where}: {existing} was left by an interrupted run with another {', '.join(fixed)}",
            "delete it and run `tfkit up` again",
        )
    if differing:
        kind.update(call, existing, inputs)
    return existing


def properties(kind: Kind, inputs: Props, live: Props) -> Props:
    """The state of a resource: the inputs in their own words, as far as they are true, and the outputs."""
    state = refreshed(inputs, live)
    state.update({name: live[name] for name in kind.outputs if name in live})
    if "tagsAll" in kind.outputs:
        state["tagsAll"] = live.get("tags", {})
    return state


def refreshed(inputs: Props, live: Props) -> Props:
    """The inputs as they are live. What the emulator does not report is taken as asked; a null is lost."""
    state = {name: in_words_of(value, live.get(name, value), name) for name, value in inputs.items()}
    return {name: value for name, value in state.items() if value is not None}
