"""Between protobuf `Struct`s, which the protocol carries, and plain data, which the state keeps."""

import hashlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from google.protobuf import struct_pb2

SIGNATURE = "4dabf18193072939515e22adb298388d"
ASSET = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the protocol's marker, not a secret
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""Markers of Pulumi's wire format, as `pulumi.runtime.rpc` has them (a test compares them)."""


def to_plain(message: "struct_pb2.Struct") -> dict[str, Any]:
    """A `Struct` as plain data; whole numbers become integers, as they were before the wire."""
    return {key: _value(value) for key, value in message.fields.items()}


def _value(value: "struct_pb2.Value") -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return to_plain(value.struct_value)
    if kind == "list_value":
        return [_value(item) for item in value.list_value.values]
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    return None if kind in (None, "null_value") else getattr(value, kind)


def to_struct(data: dict[str, Any]) -> "struct_pb2.Struct":
    """Plain data as a `Struct`."""
    from google.protobuf import struct_pb2

    message = struct_pb2.Struct()
    message.update(data)
    return message


def has_marker(data: Any, marker: str) -> bool:
    """Whether an object with this signature stands anywhere in the data."""
    if isinstance(data, dict):
        return data.get(SIGNATURE) == marker or any(has_marker(item, marker) for item in data.values())
    return isinstance(data, list) and any(has_marker(item, marker) for item in data)


def unknown_in(data: Any) -> bool:
    """Whether a value that only a deployment will tell stands anywhere in the data."""
    if isinstance(data, dict):
        return any(unknown_in(item) for item in data.values())
    if isinstance(data, list):
        return any(unknown_in(item) for item in data)
    return data == UNKNOWN


def with_hashes(data: Any) -> Any:
    """The data with the hash of every text asset and archive filled in, which the engine owes.

    Raises ValueError for an asset that is not text: the stacks use no other.
    """
    if isinstance(data, list):
        return [with_hashes(item) for item in data]
    if not isinstance(data, dict):
        return data
    plain = {key: with_hashes(item) for key, item in data.items()}
    if plain.get(SIGNATURE) == ASSET:
        if "text" not in plain:
            raise ValueError("an asset that is not text")
        plain["hash"] = hashlib.sha256(plain["text"].encode()).hexdigest()
    elif plain.get(SIGNATURE) == ARCHIVE:
        members = plain.get("assets")
        if not isinstance(members, dict):
            raise ValueError("an archive that is not made of assets")
        listing = "".join(f"{name}\0{member['hash']}\n" for name, member in sorted(members.items()))
        plain["hash"] = hashlib.sha256(listing.encode()).hexdigest()
    return plain
