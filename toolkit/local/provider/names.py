"""Pulumi's camelCase names and boto3's PascalCase ones, for the blocks that are otherwise alike."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

UNLIKE = {"id": "ID", "sseAlgorithm": "SSEAlgorithm", "kmsMasterKeyId": "KMSMasterKeyID"}
"""S3's names that are not just the same with a capital."""


def pascal(value: Any, unlike: Mapping[str, str] = UNLIKE) -> Any:
    """A block as boto3 takes it."""
    if isinstance(value, Mapping):
        return {
            unlike.get(name) or name[0].upper() + name[1:]: pascal(inner, unlike)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [pascal(inner, unlike) for inner in value]
    return value


def camel(value: Any, unlike: Mapping[str, str] = UNLIKE) -> Any:
    """What boto3 answers, as Pulumi has it; times become RFC 3339."""
    if isinstance(value, Mapping):
        back = {theirs: ours for ours, theirs in unlike.items()}
        return {
            back.get(name) or name[0].lower() + name[1:]: camel(inner, unlike)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [camel(inner, unlike) for inner in value]
    return value.isoformat() if isinstance(value, datetime) else value
