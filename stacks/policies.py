"""IAM documents as stable text: equal statements give equal bytes, so no update is seen where none is."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Condition = Mapping[str, Mapping[str, str | Sequence[str]]]


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement; its `sid` says why it is there. Without `resources` it is a trust policy's."""

    sid: str
    actions: Sequence[str]
    resources: Sequence[str] = ()
    principals: Mapping[str, str] | None = None
    condition: Condition | None = None
    effect: str = "Allow"

    def as_data(self) -> dict[str, object]:
        """The statement as IAM's grammar wants it, with what is empty left out."""
        parts: dict[str, object] = {
            "Sid": self.sid,
            "Effect": self.effect,
            "Principal": self.principals,
            "Action": sorted(self.actions),
            "Resource": sorted(self.resources),
            "Condition": self.condition,
        }
        return {key: value for key, value in parts.items() if value}


def document(*statements: Statement) -> str:
    """A policy document as compact JSON with sorted keys."""
    data = {"Version": "2012-10-17", "Statement": [statement.as_data() for statement in statements]}
    return json.dumps(data, sort_keys=True, separators=(",", ":"))


def trust(sid: str, principals: Mapping[str, str], condition: Condition | None = None) -> Statement:
    """Who may assume a role."""
    return Statement(sid=sid, actions=["sts:AssumeRole"], principals=principals, condition=condition)
