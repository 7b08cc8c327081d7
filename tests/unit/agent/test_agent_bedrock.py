"""The whole way to Bedrock, with boto3 and pydantic-ai as they are: no answer that is none passes for one."""

import asyncio
import time
from collections.abc import Iterator
from threading import Event

import boto3
import msgspec
import pydantic_ai.models
import pytest
from agent_scripts import GOOD, VALIDATORS, ScriptedChecker, needs
from bedrock_server import Bedrock, Reply, serve
from botocore.exceptions import ClientError

from toolkit.agent import patience
from toolkit.agent.deadline import Deadline
from toolkit.agent.deps import Deps
from toolkit.agent.gate import Outcome, converse
from toolkit.agent.ledger import Ledger
from toolkit.agent.models import LONG_ANSWER, build
from toolkit.agent.patience import Patient
from toolkit.agent.workspace import Workspace
from toolkit.agent.writer import make_writer
from toolkit.contracts import HAIKU, ModelEntry, Price
from toolkit.errors import BudgetExceeded, ModelFailed

WHOLE = ModelEntry(
    provider="bedrock", id=f"us.{HAIKU}", profile="arn:aws:bedrock:p", price=Price(input=1, output=5)
)
STREAMED = ModelEntry(provider="bedrock", id=f"us.{HAIKU}", max_tokens=0, price=Price(input=1, output=5))
LONG = msgspec.structs.replace(WHOLE, max_tokens=64_000)
EACH = pytest.mark.parametrize(
    "entry", [WHOLE, STREAMED, LONG], ids=["converse", "converse-stream", "a long answer"]
)
STREAMS = pytest.mark.parametrize("entry", [STREAMED, LONG], ids=["without a limit", "a long answer"])
WRITE = ("write_file", {"path": "main.tf", "content": GOOD})


@pytest.fixture(scope="module")
def server() -> Iterator[Bedrock]:
    with serve() as told:
        yield told


@pytest.fixture(autouse=True)
def bedrock(server: Bedrock, monkeypatch: pytest.MonkeyPatch) -> Bedrock:
    """The server, told nothing yet; requests to it are let through, and nobody waits between them."""
    monkeypatch.setattr(pydantic_ai.models, "ALLOW_MODEL_REQUESTS", True)
    monkeypatch.setattr(patience, "RETRY_SECONDS", (0.0, 0.0, 0.0))
    server.asked.clear()
    return server


class Run:
    """One conversation with the model of this entry, and what it left."""

    def __init__(self, entry: ModelEntry, bedrock: Bedrock, *replies: Reply) -> None:
        bedrock.replies = replies
        self.workspace, self.ledger, self.steps = Workspace(), Ledger(entries={"m": entry}), list[str]()
        self._deps = Deps(
            workspace=self.workspace,
            checker=ScriptedChecker(needs("main.tf")),
            selection=VALIDATORS,
            ledger=self.ledger,
            progress=self.steps.append,
        )
        self._agent = make_writer(Patient(build(entry, bedrock.client), "m"))

    def hold(self, seconds: float = 60.0) -> Outcome:
        return asyncio.run(
            converse(
                self._agent,
                self._deps,
                "a bucket",
                max_followups=0,
                deadline=Deadline(time.monotonic() + seconds, seconds),
                on_attempt=lambda *_: None,
            )
        )

    def fails(self) -> ModelFailed:
        with pytest.raises(ModelFailed) as caught:
            self.hold()
        return caught.value


@EACH
def test_a_whole_answer_is_done_and_counted(entry: ModelEntry, bedrock: Bedrock):
    run = Run(entry, bedrock, Reply(tool=WRITE, stop="tool_use"), Reply(text="made it"))
    outcome = run.hold()
    assert (outcome.converged, outcome.output) == (True, "made it")
    assert outcome.tree.files == {"main.tf": GOOD.encode()}
    assert (run.ledger.requests, run.ledger.input_tokens, run.ledger.output_tokens) == (2, 200, 40)
    assert run.ledger.cost_usd == pytest.approx((200 + 5 * 40) / 1e6)
    assert set(bedrock.operations) == {"converse" if entry is WHOLE else "converse-stream"}


@pytest.mark.parametrize(("limit", "way"), [(LONG_ANSWER, "converse"), (LONG_ANSWER + 1, "converse-stream")])
def test_an_answer_that_may_be_long_is_streamed_with_its_limit(bedrock: Bedrock, limit: int, way: str):
    """In one piece it would be longer under way than a read may last."""
    run = Run(msgspec.structs.replace(WHOLE, max_tokens=limit), bedrock, Reply(text="x"))
    assert run.hold().output == "x"
    ((path, body),) = bedrock.asked
    assert path == f"/model/arn%3Aaws%3Abedrock%3Ap/{way}"
    assert body["inferenceConfig"] == {"maxTokens": limit, "temperature": 0.0}
    assert (run.ledger.input_tokens, run.ledger.output_tokens) == (100, 20)


def test_the_model_is_called_through_its_profile_with_its_limit(bedrock: Bedrock):
    Run(WHOLE, bedrock, Reply(text="x")).hold()
    path, body = bedrock.asked[0]
    assert path == "/model/arn%3Aaws%3Abedrock%3Ap/converse"
    assert body["inferenceConfig"] == {"maxTokens": 8_192, "temperature": 0.0}


STOPS = {
    "max_tokens": "cut off at its token limit",
    "guardrail_intervened": "guardrail or content filter",
    "content_filtered": "guardrail or content filter",
    "malformed_tool_use": "tool call could not be parsed",
    "malformed_model_output": "answer could not be parsed",
    "model_context_window_exceeded": "no longer fits into the model's context window",
    "a_reason_of_next_year": "a reason that is not known: a_reason_of_next_year",
}


@EACH
@pytest.mark.parametrize("stop", STOPS)
@pytest.mark.parametrize("what", ["text", "tool", "nothing"])
def test_an_answer_that_is_none_is_an_error_and_nothing_in_it_is_done(
    entry: ModelEntry, bedrock: Bedrock, stop: str, what: str
):
    reply = {
        "text": Reply(text="All done.", stop=stop),
        "tool": Reply(tool=WRITE, stop=stop),
        "nothing": Reply(stop=stop),
    }[what]
    run = Run(entry, bedrock, reply)
    assert STOPS[stop] in run.fails().message
    assert run.workspace.paths() == []
    assert len(bedrock.asked) == 1, "it is not asked again"
    assert run.ledger.input_tokens == 100, "it was paid for all the same"


@STREAMS
@pytest.mark.parametrize("what", ["text", "tool", "nothing"])
def test_a_stream_without_its_end_is_no_answer(entry: ModelEntry, bedrock: Bedrock, what: str):
    reply = {
        "text": Reply(text="Half of", stop=""),
        "tool": Reply(tool=WRITE, stop=""),
        "nothing": Reply(stop=""),
    }
    run = Run(entry, bedrock, reply[what])
    assert "broke off" in run.fails().message
    assert run.workspace.paths() == []


BROKEN = {
    "throttlingException": Reply(text="Half of", exception="throttlingException"),
    "serviceUnavailableException": Reply(text="Half of", exception="serviceUnavailableException"),
    "internalServerException": Reply(tool=WRITE, exception="internalServerException"),
    "modelStreamErrorException": Reply(text="Half of", exception="modelStreamErrorException"),
    "a torn connection": Reply(text="Half of", torn=True),
}


@STREAMS
@pytest.mark.parametrize("kind", BROKEN)
def test_a_stream_that_breaks_off_is_asked_for_again(entry: ModelEntry, bedrock: Bedrock, kind: str):
    broken = BROKEN[kind]
    writes, ends = Reply(tool=WRITE, stop="tool_use"), Reply(text="made it")
    run = Run(entry, bedrock, broken, writes, broken, broken, ends)
    outcome = run.hold()
    assert (outcome.converged, outcome.output) == (True, "made it")
    assert (run.ledger.requests, run.ledger.retries, len(bedrock.asked)) == (2, 3, 5)
    assert run.steps.count("model, turn 2, again") == 2
    sent = [body["messages"] for _, body in bedrock.asked]
    assert sent[0] == sent[1] and sent[2] == sent[3] == sent[4], "the model never learns of it"


@pytest.mark.parametrize("kind", BROKEN)
def test_a_stream_that_always_breaks_off_ends_the_run_with_the_services_words(bedrock: Bedrock, kind: str):
    run = Run(STREAMED, bedrock, BROKEN[kind])
    failed = run.fails()
    assert "could not be used 4 times in a row" in failed.message
    assert kind == "a torn connection" or "told by the service" in failed.message
    assert "choose another model" in failed.hint
    assert (run.ledger.requests, run.ledger.retries, len(bedrock.asked)) == (0, 3, 4)
    assert run.workspace.paths() == []


def test_a_stream_that_says_that_the_request_is_wrong_is_not_asked_for_again(bedrock: Bedrock):
    run = Run(STREAMED, bedrock, Reply(text="Half of", exception="validationException"))
    assert "told by the service" in run.fails().message
    assert len(bedrock.asked) == 1


@EACH
@pytest.mark.parametrize(("status", "retries"), [(400, 0), (403, 0), (429, 3), (503, 3)])
def test_a_refusal_before_the_answer_begins_is_repeated_if_that_can_help(
    entry: ModelEntry, bedrock: Bedrock, status: int, retries: int
):
    run = Run(entry, bedrock, *[Reply(status=status)] * (1 + retries))
    assert "told by the service" in run.fails().message
    assert (len(bedrock.asked), run.ledger.retries) == (1 + retries, retries)


@EACH
@pytest.mark.timeout(15)
def test_a_model_that_hangs_is_left_at_the_deadline(entry: ModelEntry, bedrock: Bedrock):
    released = Event()
    run = Run(entry, bedrock, Reply(text="late", hangs=released))
    try:
        with pytest.raises(BudgetExceeded, match="budget of seconds"):
            run.hold(seconds=1.0)
        assert not released.is_set()
    finally:
        released.set()


def test_the_agents_own_client_repeats_no_request(bedrock: Bedrock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each one is reserved in the day's budget; the hooks ask again, through that."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    for name, value in {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", bedrock.endpoint)
    from toolkit.agent.config import Clients

    bedrock.replies = (Reply(status=429), Reply(text="there"))
    with pytest.raises(ClientError, match=r"429|Throttl|TooMany"):
        Clients().bedrock.converse(modelId="m", messages=[{"role": "user", "content": [{"text": "x"}]}])
    assert len(bedrock.asked) == 1
