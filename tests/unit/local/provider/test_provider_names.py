"""The tables against pulumi_aws itself: a wrong token or property name cannot survive."""

import importlib
import inspect
import typing
from typing import Any

import pytest
from pulumi import _types  # what pulumi_aws's getters say of themselves has no public reader

from toolkit.local.provider.kind import Kind
from toolkit.local.provider.kinds import KINDS
from toolkit.local.provider.table import Table, parse

# pulumi_aws's own modules warn about their old names when they are imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*has been deprecated in favor of:DeprecationWarning")

every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))


def class_of(kind: Kind) -> Any:
    """pulumi_aws's class for a token `aws:MODULE/thing:Class`."""
    _, path, name = kind.type_name.split(":")
    module = path.split("/")[0]
    return getattr(importlib.import_module(f"pulumi_aws.{'lambda_' if module == 'lambda' else module}"), name)


def wire_names(cls: Any) -> dict[str, str]:
    """Python name → wire name of a class's properties."""
    return {python: wire for python, wire, _ in _types._py_properties(cls)}


def types(cls: Any, resource: bool) -> dict[str, Any]:
    """Wire name → type of a class's properties."""
    found = _types.resource_types(cls) if resource else _types.output_type_types(cls)
    names = wire_names(cls)
    return {names.get(name, name): kind for name, kind in found.items()}


def block(kind: Any) -> Any:
    """The class of a block inside a type, or None for scalars, lists of scalars and maps."""
    if isinstance(kind, type) and _types.is_output_type(kind):
        return kind
    return next((found for inner in typing.get_args(kind) if (found := block(inner))), None)


def given(cls: Any) -> inspect.Signature:
    return inspect.signature(cls._internal_init)


def inputs(cls: Any) -> set[str]:
    """The wire names of the arguments that the class takes."""
    python = set(given(cls).parameters) - {"__self__", "resource_name", "opts", "__props__"}
    names = wire_names(cls)
    assert python <= names.keys()
    return {names[name] for name in python}


def disagreements(table: Table, cls: Any, resource: bool, where: str) -> list[str]:
    known = types(cls, resource)
    found = []
    for name, ours in table.properties.items():
        if name not in known:
            found.append(f"{where}{name} is unknown")
            continue
        theirs = block(known[name])
        if (theirs is None) != (ours.inner is None):
            found.append(f"{where}{name} is {'not ' if theirs is None else ''}a block")
        elif theirs is not None and ours.inner is not None:
            if ours.listed != ("Sequence" in str(known[name])):
                found.append(f"{where}{name} is {'not ' if ours.listed else ''}a list")
            found += disagreements(ours.inner, theirs, False, f"{where}{name}.")
    return found


@every_kind
def test_the_token_is_pulumi_awss(kind: Kind) -> None:
    assert class_of(kind).pulumi_type == kind.type_name


@every_kind
def test_what_a_type_takes_is_what_pulumi_aws_sends(kind: Kind) -> None:
    cls = class_of(kind)
    assert kind.table.properties.keys() <= inputs(cls)
    taken = Table({name: p for name, p in kind.table.properties.items() if name not in kind.stored_only})
    assert disagreements(taken, cls, True, "") == []


@every_kind
def test_what_a_type_gives_is_what_pulumi_aws_reads(kind: Kind) -> None:
    assert kind.outputs <= set(wire_names(class_of(kind)).values())


def test_a_wrong_name_would_be_found() -> None:
    bucket = class_of(KINDS["aws:s3/bucket:Bucket"])
    wrong = parse("bucketName versioning{enabld} lifecycleRules{enabled} forceDestroy{x} tags")
    assert disagreements(wrong, bucket, True, "") == [
        "bucketName is unknown",
        "versioning.enabld is unknown",
        "lifecycleRules is a list",
        "forceDestroy is not a block",
    ]


@every_kind
def test_stored_only_properties_say_why(kind: Kind) -> None:
    assert all(len(reason) > 20 for reason in kind.stored_only.values())
