"""Conversations in the table: what a run remembers of the one before, whose it is, and who has it now."""

import os
from typing import Any

import msgspec
import pytest
from agent_platform import TABLE, Platform
from agent_scripts import GOOD, Script, answer, call, needs, say, used, write
from pydantic_ai.messages import TextPart, ThinkingPart, ToolCallPart, UserPromptPart

from toolkit import statement
from toolkit.agent import memory
from toolkit.agent.farewell import END
from toolkit.agent.run import execute
from toolkit.checker.message import pack
from toolkit.contracts import AskRequest, RunResult, Tree
from toolkit.conversations import Conversation, head_item, head_of, newest_query
from toolkit.tables import chat_key, run_key

MINE = "arn:aws:iam::000000000000:user/me"
START = Tree(files={"main.tf": GOOD.encode()})


@pytest.fixture
def chat(platform: Platform) -> "Chat":
    return Chat(platform)


class Chat:
    """The runs of one conversation, one after the other, each with a script of its own."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.id = platform.run_id
        self.runs = 0

    def turn(self, prompt: str, *steps: Any, start: Tree | None = None, **fields: Any) -> RunResult:
        if self.runs:
            self.platform.run_id = f"{self.id}-{self.runs + 1}"
        self.runs += 1
        self.platform.script = Script(*steps)
        if start:
            key = f"runs/{self.platform.run_id}/start.tree"
            self.platform.clients.s3.put_object(Bucket="agent-runs", Key=key, Body=pack(start))
            fields["start"] = start.hash
        request = {"conversation": self.id, "caller": MINE, "prompt": prompt} | fields
        asked = AskRequest(run_id=self.platform.run_id, **request)
        result = execute(asked, self.platform.config, self.platform.clients, 900.0)
        assert isinstance(result, RunResult)
        return result

    @property
    def head(self) -> Conversation:
        found = head_of(self.row(chat_key(self.id)))
        assert found
        return found

    def row(self, key: dict[str, Any]) -> dict[str, Any] | None:
        table = self.platform._real("dynamodb")
        return table.get_item(TableName=TABLE, Key=key, ConsistentRead=True).get("Item")

    def change(self, **values: Any) -> None:
        item = head_item(msgspec.structs.replace(self.head, **values))
        self.platform._real("dynamodb").put_item(TableName=TABLE, Item=item)


def texts(script: Script) -> list[str]:
    """What was said on both sides before the model's first answer of this run."""
    parts = [part for message in script.seen[0] for part in message.parts]
    return [str(part.content) for part in parts if isinstance(part, UserPromptPart | TextPart)]


def test_the_next_run_knows_what_was_said_and_the_table_what_it_is(chat: Chat) -> None:
    assert chat.turn("a bucket", write("main.tf"), say("made it")).status == "ok"
    first = chat.head
    assert (first.run, first.ok_run, first.turns, first.title) == (chat.id, chat.id, 1, "a bucket")
    result = chat.turn("is it good?", say("it is"), start=START, follows=chat.id)
    assert texts(chat.platform.script) == ["a bucket", "made it", "is it good?"]
    assert (result.status, result.error, result.conversation) == ("ok", None, chat.id)
    assert (chat.head.run, chat.head.turns) == (result.run_id, 2)
    again = chat.turn("and now?", say("still"), start=START, follows=result.run_id)
    assert texts(chat.platform.script) == ["a bucket", "made it", "is it good?", "it is", "and now?"]
    table = chat.platform._real("dynamodb")
    found = [head_of(item) for item in table.query(**newest_query(TABLE, MINE, 1))["Items"]]
    assert [head.run for head in found if head] == [again.run_id]
    row = chat.row(chat_key(chat.id, 2))
    assert row and row["run"] == {"S": result.run_id} and 0 < len(row["messages"]["B"]) < 1000
    days = (int(row["expires"]["N"]) - first.expires) / 86_400
    assert 0 <= days < 1 and chat.row(run_key(chat.id))["conversation"] == {"S": chat.id}


def test_the_trace_says_what_was_remembered(chat: Chat) -> None:
    chat.turn("a bucket", write("main.tf"), say("made it"))
    chat.turn("more", say("no"), start=START, follows=chat.id)
    spans = {span["name"]: span for span in chat.platform.spans()}
    held = {item["key"]: item["value"] for item in spans["memory window"]["attributes"]}
    assert held["tfkit.memory.turns"] == {"intValue": "1"} or held["tfkit.memory.turns"] == {"intValue": 1}
    assert "memory load" in spans


def test_a_plain_run_that_changes_nothing_is_not_ok_but_a_turn_is(chat: Chat) -> None:
    result = chat.turn("a bucket", say("it is there"), start=START)
    assert (result.status, result.error) == ("not_converged", "the model changed no file")
    assert chat.turn("sure?", say("yes"), start=START, follows=chat.id).status == "ok"


def test_another_callers_conversation_is_refused_before_a_model_is_asked(chat: Chat) -> None:
    chat.turn("a bucket", write("main.tf"), say("made it"))
    result = chat.turn("more", say("never"), caller="arn:aws:iam::000000000000:user/you")
    assert result.status == "error" and f"belongs to {MINE}" in (result.error or "")
    assert chat.platform.script.seen == []
    assert chat.head.turns == 1


def test_a_conversation_that_another_run_goes_on_with_is_refused(chat: Chat) -> None:
    chat.turn("a bucket", write("main.tf"), say("made it"))
    other = chat.id
    chat.platform.run_id = other
    chat.platform.change_record(status={"S": "running"}, lease_until={"N": "4000000000"})
    result = chat.turn("more", say("never"), start=START, follows=other)
    assert result.status == "error" and f"run {other} goes on with" in (result.error or "")
    chat.platform.run_id = other
    chat.platform.change_record(lease_until={"N": "1"})  # its worker died
    assert chat.turn("more", say("yes"), start=START, follows=other).status == "ok"


def test_of_two_runs_at_once_one_wins(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    chat.turn("a bucket", write("main.tf"), say("made it"))
    quicker = memory._held

    def overtaken(head: Conversation) -> Any:
        held = quicker(head)
        chat.change(claim="somebody-else-1")
        return held

    monkeypatch.setattr(memory, "_held", overtaken)
    result = chat.turn("more", say("never"), start=START, follows=chat.id)
    assert result.status == "error" and "somebody-else-1 goes on with" in (result.error or "")
    assert chat.platform.script.seen == []


def test_what_cannot_be_remembered_ends_no_run_and_is_said(chat: Chat) -> None:
    chat.platform.refuse(
        "dynamodb", lambda op, given: op == "put_item" and "messages" in given.get("Item", {})
    )
    result = chat.turn("a bucket", write("main.tf"), say("made it"))
    assert result.status == "ok"
    assert any(point.startswith("that the next turn knows of this one") for point in result.not_proven)
    assert not any(
        "next turn" in point for point in chat.turn("x", write("main.tf"), conversation="").not_proven
    )


ODD = "odd \ud800 "


@pytest.mark.parametrize(
    "said",
    [
        (ToolCallPart(ODD, {}),),
        (ToolCallPart("list_files", {}, tool_call_id=ODD),),
        (ToolCallPart("list_files", f'{{"folder": "{ODD}"}}'),),
        (ToolCallPart("list_files", {"folder": ODD}),),
        (ThinkingPart(ODD), ToolCallPart("list_files", {})),
        (TextPart("x", provider_details={"said": [ODD]}), ToolCallPart("list_files", {})),
    ],
    ids=["name", "id", "text", "arguments", "thought", "details"],
)
def test_half_a_character_ends_no_run_wherever_it_is(chat: Chat, said: Any) -> None:
    chat.platform.config = msgspec.structs.replace(chat.platform.config, daily_budget_usd=1_000.0)
    result = chat.turn(
        "a bucket", used(answer(*said, finish="tool_call"), 10, 1), write("main.tf"), say("made it")
    )
    assert (result.status, result.error) == ("ok", None)
    assert not any("next turn" in point for point in result.not_proven), result.not_proven
    chat.turn("more", say("no"), start=START, follows=chat.id)
    assert texts(chat.platform.script)[0] == "a bucket"
    assert chat.head.turns == 2


def test_whatever_keeps_a_turn_from_being_remembered_the_run_is_stored(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_turn: Any) -> bytes:
        raise ValueError("no such thing")

    monkeypatch.setattr(memory, "_packed", broken)
    result = chat.turn("a bucket", write("main.tf"), say("made it"))
    assert result.status == "ok" and chat.platform.result == result
    assert "that the next turn knows of this one: ValueError: no such thing" in result.not_proven


def test_a_turn_larger_than_a_row_comes_down_to_prompt_and_answer(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = os.urandom(4000).hex()
    monkeypatch.setattr(memory, "MAX_TURN_BYTES", 2000)
    assert chat.turn("a bucket", write("main.tf", f"# {noise}\n"), say("made it")).status == "ok"
    chat.turn("more", say("no"), start=START, follows=chat.id)
    assert texts(chat.platform.script) == ["a bucket", "made it", "more"]
    assert noise not in str(chat.platform.script.seen[0])


def test_a_turn_that_failed_is_as_if_it_were_not(chat: Chat) -> None:
    chat.turn("a bucket", write("main.tf"), say("made it"))
    assert chat.turn("boom", RuntimeError("boom"), start=START, follows=chat.id).status == "error"
    assert (chat.head.run, chat.head.turns) == (chat.id, 1)
    chat.turn("more", say("no"), start=START, follows=chat.id)
    assert texts(chat.platform.script) == ["a bucket", "made it", "more"]


def test_a_run_without_a_conversation_begins_one_with_its_prompt_and_answer(chat: Chat) -> None:
    chat.turn("a bucket", write("main.tf"), say("made it"), conversation="")
    assert chat.row(chat_key(chat.id)) is None
    chat.turn("more", say("no"), start=START, follows=chat.id)
    assert texts(chat.platform.script) == ["a bucket", "made it", "more"]
    assert (chat.head.turns, chat.head.brought) == (1, "")
    chat.turn("and now?", say("yes"), start=START, follows=chat.platform.run_id)
    assert texts(chat.platform.script) == ["a bucket", "made it", "more", "no", "and now?"]


def test_what_the_agent_wrote_before_gets_no_trust_that_is_the_users(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Tree] = []

    def checker(folder: Any, *, brought: Tree, **_: Any) -> Any:
        given.append(brought)
        return chat.platform.checker

    monkeypatch.setattr("toolkit.agent.checking.InProcessChecker", checker)
    chat.turn("a bucket", write("main.tf"), say("made it"))
    chat.turn("more", say("no"), start=START, follows=chat.id)
    assert given == [Tree(), Tree()]
    mine = Tree(files={"mine.tf": GOOD.encode()})
    chat.turn("mine", call("list_files"), write("main.tf"), say("done"), start=mine)  # `--dir`
    both = Tree(files={**mine.files, **START.files})
    chat.turn("go on", say("no"), start=both, follows=chat.platform.run_id)
    assert given[2:] == [mine, mine]


def test_files_that_are_kept_no_longer_end_no_conversation(chat: Chat) -> None:
    chat.turn("mine", call("list_files"), write("a.tf"), say("done"), start=START)  # `--dir`
    s3, key = chat.platform._real("s3"), f"runs/{chat.id}/start.tree"
    s3.delete_object(Bucket="agent-runs", Key=key)
    result = chat.turn("go on", write("main.tf"), say("done"), start=START, follows=chat.id)
    assert result.status == "ok"
    assert any("which files were yours when the conversation began" in p for p in result.not_proven)
    assert chat.head.turns == 2
    chat.platform.refuse("s3", lambda op, given: op == "get_object" and given["Key"] == key)
    denied = chat.turn("go on", say("never"), start=START, follows=chat.platform.run_id)
    assert denied.status == "error" and "files to start from" in (denied.error or ""), "that is another thing"


def test_only_in_a_chat_the_model_may_end_it_and_words_are_enough(chat: Chat) -> None:
    chat.platform.checker.rule = needs("main.tf")
    answer = chat.turn("what can you do?", say("Terraform."), chat=True)
    assert (answer.status, answer.output, len(answer.attempts)) == ("not_converged", "Terraform.", 1)
    bye = chat.turn("bye", call(END, farewell="So long."), chat=True, follows=chat.id)
    assert (bye.terminate, bye.output, len(bye.attempts)) == (True, "So long.", 1)
    assert answer.terminate is False
    plain = chat.turn("bye", call(END, farewell="x"), say("no such tool"), follows=bye.run_id)
    assert plain.terminate is False


def test_an_id_that_no_run_could_have_is_refused(chat: Chat) -> None:
    result = chat.turn("a bucket", say("x"), conversation="A#B")
    assert result.status == "error" and "cannot be a conversation" in (result.error or "")


def stated_start(chat: Chat) -> str:
    """What the run's statement says of files of the user's own."""
    return statement.read(chat.platform.objects()["statement.json"])[1].predicate.start


def test_the_statement_tells_the_users_own_files_from_the_agents(chat: Chat) -> None:
    assert chat.turn("a bucket", write("main.tf"), say("made it")).status == "ok"
    assert stated_start(chat) == ""
    result = chat.turn("more", say("no"), start=START, follows=chat.id)
    assert (result.start, stated_start(chat)) == (START.hash, ""), "nobody's folder is behind it"


def test_the_statement_of_a_later_turn_knows_of_the_folder_that_it_began_with(chat: Chat) -> None:
    brought = Tree(files={"mine.tf": GOOD.encode()})
    assert chat.turn("a bucket", write("main.tf"), say("made it"), start=brought).status == "ok"
    assert stated_start(chat) == brought.hash
    both = Tree(files={**brought.files, **START.files})
    assert chat.turn("more", say("no"), start=both, follows=chat.id).status == "ok"
    assert stated_start(chat) == brought.hash
