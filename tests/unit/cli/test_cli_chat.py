"""`chat` and `ask --continue`, from the command line's side."""

import io
from pathlib import Path

import msgspec
import pytest
from cli_fakes import ID, record, result

from toolkit.contracts import Tree, Usage
from toolkit.conversations import Conversation
from toolkit.errors import TfkitError

ME = "arn:aws:iam::000000000000:root"
ONE = {"main.tf": b"one\n"}
TWO = {"main.tf": b"two\n", "more.tf": b"m\n"}


class Talking:
    """Makes the fake client answer one prepared turn after the other, with files of their own."""

    def __init__(self, client, monkeypatch: pytest.MonkeyPatch) -> None:
        self.client = client
        self.turns: list[tuple[dict, dict[str, bytes]]] = []
        self.trees: dict[str, dict[str, bytes]] = {}
        self.results = {}
        self.heads: dict[str, Conversation] = {}
        self.cancelled: list[str] = []
        self.interrupt = False
        for name in ("result", "tree", "follow", "cancel", "conversation", "conversations", "runs_of"):
            monkeypatch.setattr(client, name, getattr(self, name), raising=False)

    def say(self, files: dict[str, bytes], **changes) -> None:
        self.turns.append((changes, files))

    def follow(self, run_id, on_update, interval_s=0.0, **_) -> None:
        if self.interrupt:
            raise KeyboardInterrupt
        on_update(record(run_id=run_id, status="ok", step="finished"))

    def result(self, run_id: str):
        if run_id not in self.results:
            changes, files = self.turns.pop(0)
            asked = self.client.submitted[-1]
            self.trees[run_id] = files
            known = {"run_id": run_id, "prompt": asked.prompt, "conversation": asked.conversation}
            self.results[run_id] = result(files=Tree(files=files).entries, **{**known, **changes})
        return self.results[run_id]

    def tree(self, outcome, _start) -> Tree:
        return Tree(files=self.trees[outcome.run_id])

    def cancel(self, run_id: str) -> None:
        self.cancelled.append(run_id)
        self.interrupt = False

    def conversation(self, name: str) -> Conversation | None:
        return self.heads.get(name)

    def conversations(self, caller: str, most: int = 1) -> list[Conversation]:
        return [head for head in self.heads.values() if head.caller == caller][:most]

    def runs_of(self, _conversation: str) -> list[str]:
        return list(self.results)[::-1]

    def remember(self, run_id: str, files: dict[str, bytes], **head) -> None:
        """An earlier run of a conversation that is known by its own id."""
        self.trees[run_id] = files
        self.results[run_id] = result(run_id=run_id, files=Tree(files=files).entries)
        known = {"id": run_id, "caller": ME, "title": "a bucket", "updated": "", "run": run_id, "turns": 1}
        self.heads[run_id] = Conversation(**{**known, "ok_run": run_id, "claim": run_id, **head})


@pytest.fixture
def talking(client, monkeypatch: pytest.MonkeyPatch) -> Talking:
    return Talking(client, monkeypatch)


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch):
    def lines(*said: str, person: bool = False) -> None:
        stream = io.StringIO("".join(f"{line}\n" for line in said))
        stream.isatty = lambda: person
        monkeypatch.setattr("sys.stdin", stream)

    return lines


def held(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_each_line_is_a_turn_that_starts_from_the_files_of_the_last(tfkit, talking, client, piped):
    talking.say(ONE)
    talking.say(TWO, terminate=True, output="So long.")
    piped("a bucket", "", "and more", "never read")
    ended = tfkit("chat", "--json")
    assert ended.code == 0
    first, second = client.submitted
    assert ended.document["conversation"] == first.run_id == first.conversation == second.conversation
    assert ended.document["terminate"] is True
    assert [turn["prompt"] for turn in ended.document["turns"]] == ["a bucket", "and more"]
    assert (first.follows, first.start, first.chat) == ("", "", True)
    assert (second.follows, second.start) == (first.run_id, Tree(files=ONE).hash)
    assert client.given[1][0] == Tree(files=ONE)
    assert held(Path("tfkit-runs") / first.run_id) == TWO


def test_a_person_sees_reply_and_diff_and_how_to_go_on(tfkit, talking, client, piped):
    talking.say(ONE, output="Made it.")
    talking.say(TWO)
    piped("a bucket", "and more", "/quit", "never read")
    ended = tfkit("chat", "-o", "mine")
    assert "Made it." in ended.out and "changed: main.tf (new)\n" in ended.out
    assert "changed: main.tf (changed), more.tf (new)\n" in ended.out and "-one\n+two\n" in ended.out
    assert "written to mine: main.tf, more.tf" in ended.err
    assert f"tfkit chat --conversation {client.submitted[0].run_id}" in ended.err
    assert len(client.submitted) == 2
    assert held(Path("mine")) == TWO


def test_ctrl_c_cancels_the_turn_and_the_chat_goes_on_from_before_it(tfkit, talking, client, piped):
    talking.say(ONE)
    talking.say({"half.tf": b""}, status="cancelled", error="cancelled on request")
    talking.say(TWO)
    follow = talking.follow

    def follow_and_interrupt(run_id, on_update, interval_s=0.0, **_):
        talking.interrupt = len(client.submitted) == 2
        follow(run_id, on_update)

    client.follow = follow_and_interrupt
    piped("a bucket", "wrong", "and more", person=True)
    ended = tfkit("chat", "-o", "mine")
    assert ended.code == 0
    assert talking.cancelled == [client.submitted[1].run_id]
    assert client.submitted[2].follows == client.submitted[0].run_id
    assert client.submitted[2].start == Tree(files=ONE).hash
    assert held(Path("mine")) == TWO


def test_ctrl_c_ends_a_script_after_its_turn_is_cancelled(tfkit, talking, client, piped):
    talking.interrupt = True
    piped("a bucket", "never read")
    assert tfkit("chat").code == 130
    assert talking.cancelled == [client.submitted[0].run_id]
    assert len(client.submitted) == 1


def test_a_second_process_goes_on_and_replaces_only_what_the_chat_wrote(tfkit, talking, client, piped):
    talking.remember(ID, ONE)
    talking.say(TWO)
    folder = Path("tfkit-runs") / ID
    folder.mkdir(parents=True)
    (folder / "main.tf").write_bytes(ONE["main.tf"])
    (folder / "notes.txt").write_text("mine")
    piped("and more")
    ended = tfkit("chat", "--conversation", ID)
    assert ended.code == 0 and "goes on with: a bucket" in ended.err
    request = client.submitted[0]
    assert (request.conversation, request.follows, request.start) == (ID, ID, Tree(files=ONE).hash)
    assert request.run_id != ID
    assert held(folder) == {**TWO, "notes.txt": b"mine"}


def test_a_file_that_somebody_changed_is_left_as_it_is_and_said(tfkit, talking, piped):
    talking.remember(ID, ONE)
    talking.say(TWO)
    folder = Path("tfkit-runs") / ID
    folder.mkdir(parents=True)
    (folder / "main.tf").write_text("my own")
    piped("and more")
    ended = tfkit("chat", "--conversation", ID)
    assert "nothing was written" in ended.err and "tfkit runs files" in ended.err
    assert held(folder) == {"main.tf": b"my own"}


def test_a_new_chat_wants_an_empty_folder(tfkit, talking, client, piped):
    Path("mine").mkdir()
    (Path("mine") / "a").touch()
    piped("a bucket")
    assert tfkit("chat", "-o", "mine").code == 2
    assert client.submitted == []


def test_what_a_chat_may_cost_is_for_all_its_turns(tfkit, talking, client, piped):
    talking.say(ONE, usage=Usage(requests=1, cost_usd=0.25))
    talking.say(TWO, usage=Usage(requests=1, cost_usd=0.8))
    piped("a bucket", "and more", "never read")
    ended = tfkit("chat", "--max-cost", "1", "--json")
    assert ended.code == 5 and "is spent" in ended.err
    assert len(ended.document["turns"]) == 2
    assert [request.max_cost_usd for request in client.submitted] == [1.0, 0.75]


@pytest.mark.parametrize(
    ("turn", "code"),
    [({"status": "not_converged"}, 3), ({"status": "error", "error": "x"}, 1), ({"terminate": True}, 0)],
)
def test_the_exit_code_is_that_of_the_last_turn(tfkit, talking, piped, turn, code):
    talking.say(ONE, **turn)
    piped("a bucket")
    assert tfkit("chat", "--json").code == code


def test_a_goodbye_before_anything_was_made_is_no_failure(tfkit, talking, piped):
    talking.say({}, status="not_converged", terminate=True)
    piped("bye")
    ended = tfkit("chat", "--json")
    assert (ended.code, ended.document["terminate"]) == (0, True)


def test_nothing_said_is_no_turn(tfkit, talking, piped):
    piped()
    ended = tfkit("chat", "--json")
    assert (ended.code, ended.document["turns"], ended.document["terminate"]) == (0, [], False)


def test_a_failure_ends_a_script_with_one_document(tfkit, talking, client, piped, monkeypatch):
    def refuse(*_):
        raise TfkitError("the platform was stopped", "release it: tfkit up")

    monkeypatch.setattr(client, "submit", refuse)
    piped("a bucket", "another")
    ended = tfkit("chat", "--json")
    assert (ended.code, ended.document["error"]) == (1, "the platform was stopped")


def test_continue_goes_on_with_the_callers_last_conversation(tfkit, talking, client):
    talking.remember("theirs-0001", TWO, caller="arn:you")
    talking.remember(ID, ONE)
    talking.say(TWO, diff="--- a/main.tf\n+++ b/main.tf\n-one\n+two\n")
    ended = tfkit("ask", "--continue", "encrypt it")
    assert ended.code == 0
    request = client.submitted[0]
    assert (request.prompt, request.conversation, request.follows) == ("encrypt it", ID, ID)
    assert (request.start, request.chat) == (Tree(files=ONE).hash, False)
    assert client.given[0][0] == Tree(files=ONE)
    assert "-one\n+two\n" in ended.out


@pytest.mark.parametrize(
    "where", [("x", "--continue", ID), ("--continue", ID, "x"), (f"--continue={ID}", "x")]
)
def test_continue_takes_an_id_before_or_after_the_prompt(tfkit, talking, client, where):
    talking.remember("anotherone1", TWO)
    talking.remember(ID, ONE)
    talking.say(TWO)
    assert tfkit("ask", *where).code == 0
    assert (client.submitted[0].prompt, client.submitted[0].follows) == ("x", ID)


def test_continue_takes_a_run_of_a_conversation_and_one_of_none(tfkit, talking, client):
    talking.remember(ID, ONE)
    client.records["laterrun1"] = record(run_id="laterrun1", conversation=ID, status="ok")
    client.records["oldrun001"] = record(run_id="oldrun001", status="ok")
    talking.results["oldrun001"] = result(run_id="oldrun001", files=Tree(files=TWO).entries)
    talking.trees["oldrun001"] = TWO
    talking.say(TWO)
    talking.say(TWO)
    assert tfkit("ask", "x", "--continue", "laterrun1").code == 0
    assert tfkit("ask", "x", "--continue", "oldrun001").code == 0
    assert [r.conversation for r in client.submitted] == [ID, "oldrun001"]
    assert client.submitted[1].follows == "oldrun001"


def test_with_a_folder_the_conversation_goes_on_from_that(tfkit, talking, client):
    talking.remember(ID, ONE)
    Path("infra").mkdir()
    (Path("infra") / "mine.tf").write_text("x")
    talking.say(TWO)
    assert tfkit("ask", "x", "--continue", ID, "--dir", "infra").code == 0
    request = client.submitted[0]
    assert (request.conversation, request.follows) == (ID, "")
    assert request.start == Tree(files={"mine.tf": b"x"}).hash


def test_what_cannot_be_gone_on_with_is_said(tfkit, talking, client):
    assert "no conversation of yours" in tfkit("ask", "x", "--continue").err
    assert "no conversation and no run" in tfkit("ask", "x", "--continue", "nobody-knows").err
    talking.remember(ID, ONE, caller="arn:you")
    assert "belongs to arn:you" in tfkit("ask", "x", "--continue", ID).err
    talking.heads[ID] = msgspec.structs.replace(talking.heads[ID], caller=ME, claim="busyrun01")
    client.records["busyrun01"] = record(run_id="busyrun01")
    ended = tfkit("ask", "x", "--continue", ID)
    assert ended.code == 2 and "run busyrun01 goes on with" in ended.err
    assert client.submitted == []


def test_a_plain_run_begins_a_conversation_by_its_own_id(tfkit, client):
    tfkit("ask", "a bucket", "--run-id", ID)
    assert (client.submitted[0].conversation, client.submitted[0].follows) == (ID, "")
