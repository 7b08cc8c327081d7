"""Pulumi's wire values (Structs with marks for secrets, unknowns, assets and archives) and plain data."""

from collections.abc import Mapping
from typing import Any

from google.protobuf import json_format, struct_pb2
from pulumi.runtime.rpc import (
    UNKNOWN,
    _special_archive_sig,  # the signatures are Pulumi's protocol; the SDK has no public name for them
    _special_asset_sig,
    _special_secret_sig,
    _special_sig_key,
)

SIGNATURE = _special_sig_key
SECRET = _special_secret_sig
ASSET = _special_asset_sig
ARCHIVE = _special_archive_sig

Props = dict[str, Any]

__all__ = ["ARCHIVE", "ASSET", "SECRET", "SIGNATURE", "UNKNOWN", "Props", "from_struct", "plain", "to_struct"]


def from_struct(struct: struct_pb2.Struct) -> Props:
    """A Struct as plain data. Whole numbers become ints: a Struct knows floats only, AWS wants ints.

    Secrets are opened: what a secret is, the engine keeps account of.
    """
    data = json_format.MessageToDict(struct)
    # `__defaults` is the note that the SDKs of bridged providers leave about what they filled in.
    return {name: plain(value) for name, value in data.items() if name != "__defaults"}


def plain(value: Any) -> Any:
    """A value without the marks of secrets, and with ints where numbers are whole; nulls in maps drop out."""
    if isinstance(value, Mapping):
        if value.get(SIGNATURE) == SECRET:
            return plain(value.get("value"))
        return {
            name: plain(inner) for name, inner in value.items() if inner is not None and name != "__defaults"
        }
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def to_struct(props: Mapping[str, Any]) -> struct_pb2.Struct:
    """Plain data as a Struct."""
    struct = struct_pb2.Struct()
    struct.update(props)
    return struct
