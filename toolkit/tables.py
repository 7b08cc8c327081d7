"""The rows of the runs table and the keys of a run's artifacts: said once, for the agent that writes them
and for the command line that reads and cancels.

    pk=RUN#id     sk=RECORD   a run (`contracts.RunRecord`); gsi1: RUNS#day, by time
    pk=CHAT#id    sk=HEAD, TURN#0001 …   a conversation (`toolkit.conversations`); gsi1: CHATS#caller, by time
    pk=PLATFORM   sk=STOP     the brake (`Stop`); none where it was never pulled
    pk=BUDGET#day sk=PLATFORM, CALLER#arn   a day's dollars (`agent.day_budget`); none without such a budget

Plain data and no client: whoever calls DynamoDB or S3 brings their own.
"""

import json
import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from toolkit.contracts import RunRecord, Shape

Item = dict[str, dict[str, Any]]
"""A row in DynamoDB's own notation: name → type → value."""

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's, without i, l, o, u

KEEP_DAYS = 90

QUEUED_AT_MOST_SECONDS = 3600.0
"""How long Lambda keeps a request that it cannot start; as `stacks.agent` sets it on the function."""

STOP_KEY: Item = {"pk": {"S": "PLATFORM"}, "sk": {"S": "STOP"}}
"""The primary key of the brake's row."""

BY_DAY = "gsi1"

WORKER_DIED = "the function ended in the middle of the run (its lease ran out)"


# -- ids and times ---------------------------------------------------------------------------------


def new_run_id() -> str:
    """A run id that sorts by time: 9 characters of milliseconds, then 7 random ones."""
    milliseconds = time.time_ns() // 1_000_000
    stamp = "".join(ALPHABET[milliseconds >> shift & 31] for shift in range(40, -1, -5))
    return stamp + "".join(secrets.choice(ALPHABET) for _ in range(7))


def minted_at(run_id: str) -> float:
    """When `new_run_id` made this id, in seconds since 1970; 0 for an id of another form."""
    if len(run_id) != 16 or any(letter not in ALPHABET for letter in run_id):
        return 0.0
    milliseconds = 0
    for letter in run_id[:9]:
        milliseconds = milliseconds << 5 | ALPHABET.index(letter)
    return milliseconds / 1000


def now() -> str:
    """The time in UTC, RFC 3339."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# -- artifacts of a run in the runs bucket ---------------------------------------------------------


def result_key(run_id: str) -> str:
    """Where the outcome lies (`contracts.RunResult`)."""
    return f"runs/{run_id}/result.json"


def statement_key(run_id: str) -> str:
    """Where the signed statement of a run that is `ok` lies (`toolkit.statement`)."""
    return f"runs/{run_id}/statement.json"


def tree_key(tree_hash: str) -> str:
    """Where the statement of the last `ok` run with this tree lies, for whoever has nothing but the tree."""
    return f"statements/{tree_hash.removeprefix('sha256:')}.json"


def start_key(run_id: str) -> str:
    """Where the files lie that a run starts from, packed (`checker.message.pack`)."""
    return f"runs/{run_id}/start.tree"


def attached_key(run_id: str) -> str:
    """Where the images and texts lie that go with the prompt, packed as a tree is."""
    return f"runs/{run_id}/attached.tree"


def request_key(run_id: str) -> str:
    """Where a run's request lies, byte for byte: before it where it is too large for an event
    (`contracts.RequestInBucket`), else since a worker took it, for a replay. Its row has the hash."""
    return f"runs/{run_id}/request.json"


def baton_key(run_id: str, part: int) -> str:
    """Where a run lies that goes on in another invocation (`agent.relay.Baton`); the first is part 1."""
    return f"runs/{run_id}/parts/{part}.baton"


def attempt_key(run_id: str, number: int) -> str:
    """Where the files of an attempt lie that did not pass, packed; the first is number 1."""
    return f"runs/{run_id}/attempts/{number}.tree"


def file_key(run_id: str, path: str) -> str:
    """Where a file that the run made lies; `path` is relative to its tree, with `/`."""
    return f"runs/{run_id}/workspace/{path}"


# -- rows ------------------------------------------------------------------------------------------


def run_key(run_id: str) -> Item:
    """The primary key of a run's row."""
    return {"pk": {"S": f"RUN#{run_id}"}, "sk": {"S": "RECORD"}}


def day_key(day: str) -> str:
    """The partition of the index that holds the runs begun on a day (`YYYY-MM-DD`, UTC)."""
    return f"RUNS#{day}"


def chat_key(conversation: str, turn: int = 0) -> Item:
    """The primary key of a conversation's head, or of one of its turns (counted from 1)."""
    return {"pk": {"S": f"CHAT#{conversation}"}, "sk": {"S": f"TURN#{turn:04d}" if turn else "HEAD"}}


def chats_key(caller: str) -> str:
    """The partition of the index that holds the conversations of a caller."""
    return f"CHATS#{caller}"


def budget_key(day: str, account: str) -> Item:
    """The primary key of what an account has spent on a day (`YYYY-MM-DD`, UTC)."""
    return {"pk": {"S": f"BUDGET#{day}"}, "sk": {"S": account}}


def from_item(item: Item) -> RunRecord:
    """A run's row as a record; the keys of the table are left out."""
    plain = {name: _plain(value) for name, value in item.items()}
    fields = {name: plain[name] for name in RunRecord.__struct_fields__ if name in plain}
    fields["attempts"] = json.loads(fields.get("attempts") or "[]")
    return msgspec.convert(fields, RunRecord, strict=False)


def values_of(record: RunRecord) -> dict[str, Any]:
    """What a new run's row holds beside its primary key: the record, its place in the index, its end."""
    return {
        **msgspec.to_builtins(record),
        "attempts": msgspec.json.encode(record.attempts).decode(),
        "gsi1pk": day_key(record.started[:10]),
        "gsi1sk": f"{record.started}#{record.run_id}",
        "expires": int(time.time()) + KEEP_DAYS * 86_400,
    }


def to_item(record: RunRecord) -> Item:
    """A new run's row."""
    return {**run_key(record.run_id), **{name: _typed(value) for name, value in values_of(record).items()}}


def setting(values: Mapping[str, Any], expected: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The arguments of `update_item` that set values where the row holds what is expected.

    An expected None means that there is no row yet; the update then makes one.
    """
    expected = expected or {}
    held = [f"#{name} = :was_{name}" for name, value in expected.items() if value is not None]
    absent = [f"attribute_not_exists(#{name})" for name, value in expected.items() if value is None]
    given = {f":{name}": value for name, value in values.items()}
    given |= {f":was_{name}": value for name, value in expected.items() if value is not None}
    arguments: dict[str, Any] = {
        "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in values),
        "ExpressionAttributeNames": {f"#{name}": name for name in (*values, *expected)},
        "ExpressionAttributeValues": {name: _typed(value) for name, value in given.items()},
    }
    if held or absent:
        arguments["ConditionExpression"] = " AND ".join(held + absent)
    return arguments


def closing(dead: RunRecord, owner: str = "") -> dict[str, Any]:
    """The arguments of `update_item` that close a run whose worker is gone, unless somebody touched it since.

    The row gets another owner, so that a worker that was only slow cannot come back.
    """
    values = {
        "status": "error", "error": WORKER_DIED, "step": "finished", "lease_until": 0, "owner": owner,
        "updated": now(),
    }  # fmt: skip
    expected = {"owner": dead.owner, "status": dead.status, "lease_until": dead.lease_until}
    return setting(values, expected)


def condition_failed(error: Exception) -> bool:
    """Whether this error of boto3's says that the row did not hold what was expected."""
    answer: dict[str, Any] = getattr(error, "response", {})
    return answer.get("Error", {}).get("Code") == "ConditionalCheckFailedException"


def _typed(value: str | int | None) -> dict[str, Any]:
    if value is None:
        return {"NULL": True}
    return {"N": str(value)} if isinstance(value, int) else {"S": value}


def _plain(value: Mapping[str, Any]) -> Any:
    return None if value.get("NULL") else next(iter(value.values()))


# -- the brake -------------------------------------------------------------------------------------


class Stop(Shape, frozen=True):
    """The last time that the brake was pulled, and when it was released; RFC 3339.

    It stays after the release, because Lambda may still hold requests from before the stop.
    """

    at: str
    released: str = ""

    @property
    def holds(self) -> bool:
        """Whether the platform is stopped now."""
        return not self.released

    def refusal(self, run_id: str, now_s: float) -> str:
        """Why a run that a delivery brings now must not begin; empty where it may.

        `now_s` is in seconds since 1970. An id that somebody chose does not tell its age: for as long
        as Lambda may have kept its request it counts as older than the stop.
        """
        if self.holds:
            return f"the platform was stopped at {self.at}"
        stopped_s, minted_s = datetime.fromisoformat(self.at).timestamp(), minted_at(run_id)
        if 0 < minted_s < stopped_s:
            return f"it was asked for before the platform was stopped at {self.at}"
        if not minted_s and now_s < stopped_s + QUEUED_AT_MOST_SECONDS:
            return (
                f"the platform was stopped at {self.at}, and a chosen run id does not tell whether it was "
                "asked for before; leave --run-id out"
            )
        return ""


def stop_of(item: Item | None) -> Stop | None:
    """The brake's row; None where there is none."""
    if not item or "at" not in item:
        return None
    return Stop(at=item["at"]["S"], released=item.get("released", {}).get("S", ""))
