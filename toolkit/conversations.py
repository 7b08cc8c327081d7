"""Conversations: runs that go on from each other. Their rows, for the agent that writes them and the command
line that finds them.

    pk=CHAT#id sk=HEAD        what a conversation is (`Conversation`); gsi1: CHATS#caller, by when it went on
    pk=CHAT#id sk=TURN#0001   what was said in one run of it: pydantic-ai's messages as JSON, compressed

The id is that of the run that it began with. A conversation belongs to its caller, as the client names them
(`client.caller`): that keeps the talks of people apart who trust each other, and is no wall.

Plain data and no client: whoever calls DynamoDB brings their own.
"""

from typing import Any

import msgspec

from toolkit.contracts import Shape
from toolkit.tables import BY_DAY, Item, chat_key, chats_key

MAX_TITLE = 200


class Conversation(Shape, frozen=True):
    """The head of a conversation.

    `run` is the last one that is remembered, from whose files the next one starts, and `ok_run` the last of
    these that was `ok`; both are empty until there is one. `claim` is the run that goes on with it, or was
    the last to: it holds the conversation for as long as it is under way. `brought_run` and `brought` name
    the files that the user began with: the run that they lie with, and their hash.
    """

    id: str
    caller: str
    title: str
    updated: str
    run: str = ""
    ok_run: str = ""
    turns: int = 0
    claim: str = ""
    brought_run: str = ""
    brought: str = ""
    expires: int = 0


def head_item(head: Conversation) -> Item:
    """The head's row, with its place in the index."""
    plain: dict[str, str | int] = msgspec.to_builtins(head)
    return {
        **chat_key(head.id),
        **{name: {"N": str(v)} if isinstance(v, int) else {"S": v} for name, v in plain.items()},
        "gsi1pk": {"S": chats_key(head.caller)},
        "gsi1sk": {"S": head.updated},
    }


def head_of(item: Item | None) -> Conversation | None:
    """A head's row as a conversation; None where there is none."""
    if not item:
        return None
    plain = {name: next(iter(value.values())) for name, value in item.items()}
    fields = {name: plain[name] for name in Conversation.__struct_fields__ if name in plain}
    return msgspec.convert(fields, Conversation, strict=False)


def newest_query(table: str, caller: str, most: int) -> dict[str, Any]:
    """The arguments of `query` that find a caller's conversations, newest first."""
    return {
        "TableName": table,
        "IndexName": BY_DAY,
        "KeyConditionExpression": "gsi1pk = :caller",
        "ExpressionAttributeValues": {":caller": {"S": chats_key(caller)}},
        "ScanIndexForward": False,
        "Limit": most,
    }
