"""A run that starts from the user's own files, and a prompt with something attached to it."""

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from agent_platform import Platform, check_left_behind
from agent_scripts import Script, call, passes, say, write
from pydantic_ai import BinaryContent
from pydantic_ai.messages import UserPromptPart

import toolkit.agent.run
from toolkit.agent import handler as entry
from toolkit.agent.attached import with_attached
from toolkit.agent.baseline import THERE_BEFORE, Baseline
from toolkit.agent.prompts import instructions
from toolkit.attachments import MAX_IMAGE_BYTES
from toolkit.checker.message import CheckRequest, brought_of, pack
from toolkit.checker.remote import RemoteChecker
from toolkit.contracts import CheckReport, CheckResult, Finding, ModelEntry, RequestInBucket, Tree, to_json
from toolkit.errors import PlatformError, UsageError
from toolkit.tables import attached_key, request_key, start_key

START = Tree(
    files={
        "main.tf": b'resource "aws_sqs_queue" "a" {}\n',
        "prod.auto.tfvars": b'stage = "prod"\n',
        "zz.md": b"notes\n",
    }
)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 900_000)


def given(platform: Platform, key: str, content: bytes) -> None:
    platform.clients.s3.put_object(Bucket=platform.config.runs_bucket, Key=key, Body=content)


@pytest.fixture
def started(platform: Platform) -> Platform:
    """A platform whose bucket holds what the next run starts from."""
    given(platform, start_key(platform.run_id), pack(START))
    return platform


def test_the_run_begins_with_the_files_and_its_result_is_the_whole_tree_and_a_diff(started: Platform):
    started.script = Script(
        call("list_files"), call("read_file", path="main.tf"),
        call("edit_file", path="main.tf", old='"a"', new='"b"'), write("new.tf"), say("changed"),
    )  # fmt: skip
    result = started.run(start=START.hash)
    check_left_behind(started, result, "ok")
    assert started.files == {
        **START.files,
        "main.tf": b'resource "aws_sqs_queue" "b" {}\n',
        "new.tf": started.files["new.tf"],
    }
    assert result.start == START.hash
    assert '-resource "aws_sqs_queue" "a" {}\n+resource "aws_sqs_queue" "b" {}\n' in result.diff
    assert "--- /dev/null\n+++ b/new.tf\n" in result.diff
    assert "prod.auto.tfvars" not in result.diff
    assert started.script.tool_answers[0].splitlines() == [
        "main.tf (32 bytes)", "prod.auto.tfvars (15 bytes)", "zz.md (6 bytes)"
    ]  # fmt: skip


def test_the_model_is_told_to_read_first_and_to_follow_what_it_finds(started: Platform):
    started.script = Script(
        write("main.tf"), call("read_file", path="main.tf"), write("main.tf"), say("done")
    )
    started.run(start=START.hash)
    told = [message.instructions for message in started.script.seen[0]]
    assert told == [instructions(brought=True).strip()]
    assert "main.tf is there already: read it before you replace it" in started.script.retries[0]
    assert "workspace holds files already" not in instructions(brought=False)


def test_a_run_that_changes_nothing_has_not_done_what_was_asked_for(started: Platform):
    started.script = Script(say("I have no recipe for that"))
    result = started.run(start=START.hash)
    check_left_behind(started, result, "not_converged")
    assert (result.error, result.diff) == ("the model changed no file", "")
    assert result.output == "I have no recipe for that"


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (None, "cannot read the files to start from"),
        (pack(Tree(files={"main.tf": b"other"})), "not the one that its hash names"),
        (b"nothing of ours", "cannot be read"),
    ],
)
def test_a_start_that_is_not_the_one_of_the_request_ends_the_run(
    platform: Platform, content: bytes | None, cause: str
):
    if content is not None:
        given(platform, start_key(platform.run_id), content)
    result = platform.run(start=START.hash)
    check_left_behind(platform, result, "error")
    assert cause in (result.error or "")
    assert platform.script.seen == [] and platform.files == {}


def test_the_checker_learns_what_the_user_brought(started: Platform, monkeypatch: pytest.MonkeyPatch):
    seen: list[Tree] = []

    def made(folder: Any, *, brought: Tree, **_: Any) -> Any:
        seen.append(brought)
        return started.checker

    monkeypatch.setattr(toolkit.agent.checking, "InProcessChecker", made)
    started.checker.rule = passes
    started.run(start=START.hash)
    assert seen == [START]


def test_the_checkers_function_learns_which_files_are_still_the_users_own():
    sent: list[CheckRequest] = []

    class Function:
        def invoke(self, **arguments: Any) -> Any:
            sent.append(msgspec.json.decode(arguments["Payload"], type=CheckRequest))
            raise RuntimeError("seen enough")

    checker = RemoteChecker(Function(), "f", brought=START)
    with pytest.raises(RuntimeError):
        checker.check(Tree(files={**START.files, "main.tf": b"changed", "new.tf": b""}), ("fmt",))
    assert sent[0].own == ("prod.auto.tfvars", "zz.md")
    now = Tree(files={**START.files, "main.tf": b"changed", "new.tf": b""})
    assert brought_of(sent[0], now) == START


# -- what was there before --------------------------------------------------------------------------


def warned(tree: Tree) -> list[Finding]:
    """A rule: every file has a warning, with the line that it is on."""
    return [
        Finding(validator="validate", rule="old", severity="low", message="deprecated", file=path, line=at)
        for at, path in enumerate(tree.files, 1)
    ]


def test_what_was_found_before_the_run_is_told_and_has_not_to_be_mended(started: Platform):
    started.checker.rule = warned
    started.script = Script(
        call("read_file", path="main.tf"),
        call("edit_file", path="main.tf", old='"a"', new='"b"'),
        say("done"),
    )
    result = started.run(start=START.hash)
    check_left_behind(started, result, "ok")
    found = result.checks[-1].findings
    assert [(f.severity, f.message) for f in found] == [("info", f"deprecated{THERE_BEFORE}")] * 3
    assert started.checker.checked[0] == START.hash


def test_what_is_new_counts_and_so_does_one_more_of_the_same(started: Platform):
    started.checker.rule = warned
    started.script = Script(write("new.tf"), say("done"))
    result = started.run(start=START.hash, max_followups=0)
    check_left_behind(started, result, "not_converged")
    assert [(f.file, f.severity) for f in result.attempts[-1].findings] == [("new.tf", "low")]
    old = CheckResult(validator="x", status="findings", findings=warned(START))
    more = msgspec.structs.replace(old, findings=warned(START) * 2)
    before, after = (CheckReport(tree="t", results=[one]) for one in (old, more))
    severities = [f.severity for f in Baseline(before).applied(after).findings]
    assert severities == ["info"] * 3 + ["low"] * 3


def test_what_keeps_terraform_from_working_counts_whoever_wrote_it(started: Platform):
    broken = [Finding(validator="validate", rule="error", severity="high", message="no", file="main.tf")]
    started.checker.rule = lambda tree: broken
    result = started.run(start=START.hash, max_followups=0)
    check_left_behind(started, result, "not_converged")
    assert result.attempts[-1].findings == broken


# -- what is attached -------------------------------------------------------------------------------


def model(*takes: Any) -> ModelEntry:
    return ModelEntry(provider="bedrock", id="m", takes=takes)


def test_an_image_and_a_text_go_with_the_prompt_under_their_names():
    attached = Tree(files={"b.txt": "größe".encode(), "a.png": PNG})
    assert with_attached("p", attached, model("text", "image")) == [
        "p",
        "Attached image a.png:",
        BinaryContent(PNG, media_type="image/png"),
        "Attached text b.txt:\ngröße",
    ]
    assert with_attached("p", Tree(), model()) == "p"


@pytest.mark.parametrize(
    ("content", "takes", "why"),
    [
        (PNG, ("text",), "is an image, and the model takes texts"),
        (b"text", (), "is a text, and the model takes neither"),
        (b"%PDF-1.7 \xff", ("text", "image"), "neither an image"),
        (b"\0" * 10, ("text", "image"), "neither an image"),
        (PNG + b"x" * MAX_IMAGE_BYTES, ("image",), "3,750,000 are allowed"),
        (b"x" * 100_001, ("text",), "100,000 are allowed"),
    ],
)
def test_what_the_model_does_not_take_is_refused_and_never_left_out(content: bytes, takes: Any, why: str):
    with pytest.raises(UsageError, match=why):
        with_attached("p", Tree(files={"x": content}), model(*takes))


def test_a_run_fetches_what_is_attached(platform: Platform):
    attached = Tree(files={"notes.txt": b"the queue is called orders"})
    given(platform, attached_key(platform.run_id), pack(attached))
    check_left_behind(platform, platform.run(attached=attached.hash), "ok")
    (part,) = [part for part in platform.script.shown if isinstance(part, UserPromptPart)]
    assert part.content == ["a bucket", "Attached text notes.txt:\nthe queue is called orders"]


def test_an_image_ends_the_run_of_a_model_that_sees_none(platform: Platform):
    attached = Tree(files={"sketch.png": PNG})
    given(platform, attached_key(platform.run_id), pack(attached))
    result = platform.run(attached=attached.hash)
    check_left_behind(platform, result, "error")
    assert "sketch.png is an image, and the model takes texts" in (result.error or "")


# -- a request that is too large for an event -------------------------------------------------------


@pytest.fixture
def cold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry, "_warm", {})


def test_a_request_in_the_bucket_is_done_and_bound_by_its_hash(platform: Platform, cold: None):
    request = platform.request(max_turns=7)
    event = {"run_id": platform.run_id, "request_sha256": request.sha256}
    given(platform, request_key(platform.run_id), to_json(platform.request(max_turns=8)))
    with pytest.raises(PlatformError, match="not the one that the event names"):
        entry.handler(event, CONTEXT)
    given(platform, request_key(platform.run_id), to_json(request))
    assert entry.handler(event, CONTEXT)["status"] == "ok"
    assert platform.record.request_sha256 == request.sha256


def test_a_request_of_another_run_is_refused(platform: Platform, cold: None):
    request = platform.request()
    named = RequestInBucket(run_id=platform.run_id + "-b", request_sha256=request.sha256)
    given(platform, request_key(named.run_id), to_json(request))
    with pytest.raises(UsageError, match="of another run"):
        entry.handler({"run_id": named.run_id, "request_sha256": named.request_sha256}, CONTEXT)
