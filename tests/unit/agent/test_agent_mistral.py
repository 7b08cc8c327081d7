"""The whole way to Mistral, with its SDK and pydantic-ai as they are; and from one model to the next."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from typing import Any

import msgspec
import pydantic_ai.models
import pytest
from agent_platform import PARAMETER, Platform
from agent_scripts import GOOD, VALIDATORS, Script, ScriptedChecker, needs, used, write
from bedrock_server import Bedrock, Reply, serve
from mistral_server import Mistral, Said, ids, serve_mistral

import toolkit.agent.run
import toolkit.registry
from toolkit.agent import hooks, patience
from toolkit.agent.deadline import Deadline
from toolkit.agent.deps import Deps
from toolkit.agent.gate import Outcome, converse
from toolkit.agent.ledger import Ledger
from toolkit.agent.lineup import Lineup
from toolkit.agent.mistral import LONGEST_WAIT_S, retry_after
from toolkit.agent.mistral_key import provider_key
from toolkit.agent.models import build
from toolkit.agent.patience import Patient, in_order
from toolkit.agent.workspace import Workspace
from toolkit.agent.writer import make_writer
from toolkit.contracts import HAIKU, MISTRAL_MODELS, ModelEntry, Price, Registry, to_json
from toolkit.errors import ModelFailed, PlatformError, UsageError
from toolkit.registry import takes_key

KEY = "s3cr3t-of-mistral"
WRITE = ("write_file", {"path": "main.tf", "content": GOOD})
CLAUDE = ModelEntry(
    provider="bedrock", id=f"us.{HAIKU}", max_tokens=0, price=Price(input=1, output=5), fallbacks=("large",)
)


@pytest.fixture(scope="module")
def mistral_server() -> Iterator[Mistral]:
    with serve_mistral() as told:
        yield told


@pytest.fixture(scope="module")
def bedrock_server() -> Iterator[Bedrock]:
    with serve() as told:
        yield told


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests to the servers are let through, and nobody waits between them."""
    monkeypatch.setattr(pydantic_ai.models, "ALLOW_MODEL_REQUESTS", True)
    monkeypatch.setattr(patience, "RETRY_SECONDS", (0.0, 0.0, 0.0))


@pytest.fixture
def mistral(mistral_server: Mistral, monkeypatch: pytest.MonkeyPatch) -> Mistral:
    """A server in the place of Mistral's own."""
    monkeypatch.setattr(toolkit.registry, "MISTRAL_API", mistral_server.endpoint)
    mistral_server.asked.clear()
    mistral_server.keys.clear()
    return mistral_server


@pytest.fixture
def bedrock(bedrock_server: Bedrock) -> Bedrock:
    bedrock_server.asked.clear()
    return bedrock_server


def large(**fields: Any) -> ModelEntry:
    return msgspec.structs.replace(MISTRAL_MODELS["mistral-large"], **fields)


class Run:
    """One conversation with a chain of models, and what it left."""

    def __init__(self, bedrock: Bedrock | None = None, **entries: ModelEntry) -> None:
        self.ledger, self.steps = Ledger(entries=entries), list[str]()
        self._deps = Deps(
            workspace=Workspace(),
            checker=ScriptedChecker(needs("main.tf")),
            selection=VALIDATORS,
            ledger=self.ledger,
            progress=self.steps.append,
        )
        client = bedrock.client if bedrock else None

        def made(name: str, entry: ModelEntry) -> Patient:
            return Patient(build(entry, client, lambda: KEY, lambda: hooks.again(self._deps), 20.0), name)

        model = in_order([made(name, entry) for name, entry in entries.items()])
        self._agent = make_writer(model)

    def hold(self) -> Outcome:
        return asyncio.run(
            converse(
                self._agent,
                self._deps,
                "a bucket",
                max_followups=0,
                deadline=Deadline(time.monotonic() + 60, 60),
                on_attempt=lambda *_: None,
            )
        )


def test_a_run_on_mistral_is_done_and_counted_by_its_price(mistral: Mistral):
    mistral.answers = [Said(tool=WRITE), Said(text="made it")]
    run = Run(large=large())
    outcome = run.hold()
    assert (outcome.converged, outcome.output) == (True, "made it")
    assert outcome.tree.files == {"main.tf": GOOD.encode()}
    assert (run.ledger.requests, run.ledger.input_tokens, run.ledger.output_tokens) == (2, 200, 40)
    assert run.ledger.cost == Decimal("0.5") * 200 / 10**6 + Decimal("1.5") * 40 / 10**6
    assert run.ledger.answered == ["large"]
    assert set(mistral.keys) == {KEY}
    first = mistral.asked[0]
    assert (first["model"], first["max_tokens"], first["temperature"]) == ("mistral-large-2512", 16_384, 0.0)
    assert "write_file" in [tool["function"]["name"] for tool in first["tools"]]
    assert "prompt_cache_key" not in first


def test_what_the_entry_says_is_sent_and_what_it_leaves_out_is_not(mistral: Mistral):
    mistral.answers = [Said(text="no")]
    Run(large=large(temperature=None, max_tokens=0, caches=True)).hold()
    assert "temperature" not in mistral.asked[0]
    assert "max_tokens" not in mistral.asked[0]
    assert mistral.asked[0]["prompt_cache_key"] == "tfkit"


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_refusal_that_may_pass_is_asked_again_and_counted(mistral: Mistral, status: int):
    mistral.answers = [
        Said(status=status, retry_after="0"),
        Said(status=status),
        Said(tool=WRITE),
        Said(text="ok"),
    ]
    run = Run(large=large())
    assert run.hold().converged
    assert (len(mistral.asked), run.ledger.requests, run.ledger.retries) == (4, 2, 2)
    assert run.steps.count("model, turn 1, again") == 2
    assert mistral.asked[0] == mistral.asked[1] == mistral.asked[2]


def test_an_answer_that_breaks_off_is_asked_for_again(mistral: Mistral):
    mistral.answers = [Said(tool=WRITE), Said(text="half of it", torn=True), Said(text="ok")]
    run = Run(large=large())
    assert run.hold().output == "ok"
    assert (len(mistral.asked), run.ledger.requests, run.ledger.retries) == (3, 2, 1)


def test_what_stays_ends_the_run_with_the_services_words_and_without_the_key(mistral: Mistral):
    mistral.answers = [Said(status=429)]
    with pytest.raises(ModelFailed) as caught:
        Run(large=large()).hold()
    assert caught.value.message.startswith("the model could not be used: ")
    assert "told by the service" in caught.value.message
    assert KEY not in caught.value.message + caught.value.hint
    assert len(mistral.asked) == 4


@pytest.mark.parametrize(("status", "said"), [(401, "status_code: 401"), (422, "status_code: 422")])
def test_a_refusal_that_stays_is_not_asked_again(mistral: Mistral, status: int, said: str):
    mistral.answers = [Said(status=status)]
    with pytest.raises(ModelFailed, match=said):
        Run(large=large()).hold()
    assert len(mistral.asked) == 1


def test_an_answer_that_is_cut_off_is_none(mistral: Mistral):
    mistral.answers = [Said(text="All", finish="length")]
    with pytest.raises(ModelFailed, match="cut off at its token limit"):
        Run(large=large()).hold()


def test_a_service_that_is_not_there_is_tried_four_times():
    dead = ModelEntry(provider="mistral", id="x", endpoint="http://127.0.0.1:9")
    run = Run(dead=dead)
    with pytest.raises(ModelFailed, match="the model could not be used"):
        run.hold()
    assert run.ledger.retries == 3


# -- from one model to the next -------------------------------------------------------------------------


def test_a_throttled_model_gives_way_after_its_retries_and_each_answer_has_its_own_price(
    bedrock: Bedrock, mistral: Mistral
):
    bedrock.replies = [Reply(tool=WRITE, stop="tool_use"), *[Reply(status=429)] * 4, Reply(status=429)]
    mistral.answers = [Said(text="made it")]
    run = Run(bedrock, claude=CLAUDE, large=large())
    outcome = run.hold()
    assert (outcome.converged, outcome.output) == (True, "made it")
    assert (len(bedrock.asked), len(mistral.asked), run.ledger.retries) == (5, 1, 3)
    assert run.ledger.answered == ["claude", "large"]
    call, result = ids(mistral.asked[0])
    assert call == result, "Mistral refuses Claude's own ids, and so does the server"
    assert run.ledger.cost == Decimal(100 + 5 * 20) / 10**6 + (Decimal(50) + Decimal(30)) / 10**6


def test_who_gave_out_is_tried_once_at_each_later_turn_until_it_answers_again(
    bedrock: Bedrock, mistral: Mistral
):
    throttled = Reply(status=503)
    bedrock.replies = [*[throttled] * 5, Reply(text="back again")]
    mistral.answers = [Said(tool=("list_files", {})), Said(tool=WRITE), Said(text="never asked for")]
    run = Run(bedrock, claude=CLAUDE, large=large())
    assert run.hold().output == "back again"
    assert (len(bedrock.asked), len(mistral.asked), run.ledger.retries) == (6, 2, 3)
    assert run.ledger.answered == ["large", "claude"]


@pytest.mark.parametrize("broken", [Reply(text="Half of", torn=True), Reply(exception="throttlingException")])
def test_a_stream_that_always_breaks_off_gives_way_too(bedrock: Bedrock, mistral: Mistral, broken: Reply):
    bedrock.replies = [broken]
    mistral.answers = [Said(tool=WRITE), Said(text="ok")]
    run = Run(bedrock, claude=CLAUDE, large=large())
    assert run.hold().converged
    assert run.ledger.retries == 3
    assert run.ledger.answered == ["large"]


def test_a_bad_answer_and_a_refusal_are_no_reason_to_ask_another(bedrock: Bedrock, mistral: Mistral):
    for reply in (Reply(text="cut", stop="max_tokens"), Reply(status=403)):
        bedrock.replies, bedrock.asked[:] = [reply], []
        with pytest.raises(ModelFailed):
            Run(bedrock, claude=CLAUDE, large=large()).hold()
    assert mistral.asked == []


def test_when_none_is_left_each_is_named_with_its_cause(bedrock: Bedrock, mistral: Mistral):
    bedrock.replies, mistral.answers = [Reply(status=429)], [Said(status=503)]
    with pytest.raises(ModelFailed) as caught:
        Run(bedrock, claude=CLAUDE, large=large()).hold()
    assert "claude could not be used 4 times in a row: status_code: 429" in caught.value.message
    assert "large could not be used: status_code: 503" in caught.value.message
    assert "choose another model" in caught.value.hint


# -- a whole run ----------------------------------------------------------------------------------------


def test_a_run_says_who_answered_and_the_key_is_nowhere_in_it(
    platform: Platform, mistral: Mistral, bedrock: Bedrock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(toolkit.agent.lineup, "build", build)
    platform.clients.bedrock = bedrock.client
    ssm = platform.clients.ssm
    before = ssm.get_parameter(Name=PARAMETER)["Parameter"]["Value"]
    models = {"claude": CLAUDE, "large": large(price=Price(input=0.5, output=1.5))}
    ssm.put_parameter(Name="/keys/mistral", Value=KEY, Type="SecureString", Overwrite=True)
    ssm.put_parameter(
        Name=PARAMETER, Value=to_json(Registry(default="claude", models=models)).decode(), Overwrite=True
    )
    platform.config = msgspec.structs.replace(
        platform.config, mistral_key_parameter="/keys/mistral", daily_budget_usd=10.0
    )
    bedrock.replies, mistral.answers = [Reply(status=429)], [Said(tool=WRITE), Said(text="made it")]
    try:
        result = platform.run(max_cost_usd=1.0, temperature=0.5, answer_tokens=1_000)
    finally:
        ssm.put_parameter(Name=PARAMETER, Value=before, Overwrite=True)
    assert (result.status, result.model, result.models) == ("ok", "claude", ["large"])
    assert result.usage.cost_usd == pytest.approx(2 * (0.5 * 100 + 1.5 * 20) / 1e6)
    assert result.model_retries == 3
    assert (mistral.asked[0]["temperature"], mistral.asked[0]["max_tokens"]) == (0.5, 1_000)
    chats = [span for span in platform.spans() if span["name"].startswith("chat")]
    told = [
        item["value"]["stringValue"]
        for span in chats
        for item in span["attributes"]
        if item["key"] == "gen_ai.request.model"
    ]
    assert told.count("mistral-large-2512") == 2, told
    everything = b"".join(platform.objects().values()) + repr(platform.item).encode()
    assert b"made it" in everything
    assert KEY.encode() not in everything


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"fallbacks": ("gone",)}, "priced falls back to 'gone', which the registry has not"),
        ({"fallbacks": ("priced",)}, "models fall back in a circle: priced → priced"),
        ({"temperature": None}, "priced takes no temperature"),
        ({"price": None}, "the price of priced is not known, so a budget in dollars"),
        ({"provider": "mistral", "id": "x"}, "priced needs a key of Mistral's"),
    ],
)
def test_a_chain_that_cannot_be_is_refused_before_a_model_is_asked(
    platform: Platform, fields: dict[str, Any], said: str
):
    with changed_registry(platform, **fields):
        result = platform.run(max_cost_usd=1.0, temperature=0.5)
    assert result.status == "error"
    assert said in (result.error or "")
    assert platform.script.seen == []


@contextmanager
def changed_registry(platform: Platform, **fields: Any) -> Iterator[None]:
    """The registry of the tests with these fields of `priced`, and models that cannot be used."""
    ssm = platform.clients.ssm
    before = ssm.get_parameter(Name=PARAMETER)["Parameter"]["Value"]
    registry = msgspec.json.decode(before, type=Registry)
    models = {
        **registry.models,
        "keyless": large(price=Price(input=1, output=1)),
        "cold": ModelEntry(provider="bedrock", id="x", price=Price(input=1, output=1), temperature=None),
    }
    models["priced"] = msgspec.structs.replace(models["priced"], **fields)
    value = to_json(msgspec.structs.replace(registry, models=models)).decode()
    ssm.put_parameter(Name=PARAMETER, Value=value, Overwrite=True)
    try:
        yield
    finally:
        ssm.put_parameter(Name=PARAMETER, Value=before, Overwrite=True)


def test_who_cannot_stand_in_keeps_nobody_from_answering_and_is_named(platform: Platform):
    request = platform.request(max_cost_usd=1.0, temperature=0.5)
    with changed_registry(platform, fallbacks=("keyless", "unpriced", "cold")):
        lineup = Lineup(request, platform.config, platform.clients)
        assert [name for name, _ in lineup.choose("")] == ["priced"]
        result = platform.run(max_cost_usd=1.0, temperature=0.5)
    assert (result.status, result.models) == ("ok", ["priced"])
    left_out = "answers where priced cannot: it was left out,"
    assert lineup.dropped == [
        f"that keyless {left_out} keyless needs a key of Mistral's, and the platform has none",
        f"that unpriced {left_out} the price of unpriced is not known, so a budget in dollars cannot be kept",
        f"that cold {left_out} cold takes no temperature",
    ]


def test_a_key_that_cannot_be_read_takes_only_who_needs_it_out(platform: Platform):
    platform.config = msgspec.structs.replace(platform.config, mistral_key_parameter="/gone")
    with changed_registry(platform, fallbacks=("keyless", "cold")):
        lineup = Lineup(platform.request(), platform.config, platform.clients)
        assert [name for name, _ in lineup.choose("")] == ["priced", "cold"]
        assert "Mistral's key (/gone) cannot be read" in lineup.dropped[0]
        with pytest.raises(PlatformError, match=r"Mistral's key \(/gone\) cannot be read"):
            lineup.choose("keyless")


def test_a_scripted_model_is_named_by_the_registrys_name(platform: Platform):
    platform.script = Script(used(write("main.tf"), 10, 1), lambda: used(_done, 10, 1)())
    assert platform.run().models == ["priced"]


def _done() -> Any:
    from pydantic_ai.messages import ModelResponse, TextPart

    return ModelResponse(parts=[TextPart("done")], finish_reason="stop")


# -- the key, and the wait ------------------------------------------------------------------------------


def test_without_a_key_the_next_step_is_named():
    with pytest.raises(UsageError, match="mistral-large needs a key of Mistral's") as refusal:
        provider_key(None, "", "mistral-large")
    assert "TFKIT_MISTRAL_KEY=… tfkit up" in refusal.value.hint


def test_the_key_goes_to_mistral_and_to_no_other_address(mistral: Mistral, monkeypatch: pytest.MonkeyPatch):
    """Whoever may change the registry names an address; that is not enough to be sent the key."""
    mistral.answers = [Said(tool=WRITE), Said(text="ok")]
    Run(large=large(endpoint=f"{mistral.endpoint}/v1")).hold()
    assert set(mistral.keys) == {KEY}, "this is Mistral's own, however it is written"
    monkeypatch.setattr(toolkit.registry, "MISTRAL_API", "https://api.mistral.ai")
    mistral.asked.clear()
    mistral.keys.clear()
    Run(large=large(endpoint=mistral.endpoint)).hold()
    assert set(mistral.keys) == {"none"}
    for near in (
        "https://api.mistral.ai.example.com",
        "https://api.mistral.ai@example.com",
        "http://api.mistral.ai",
    ):
        assert not takes_key(large(endpoint=near))
    assert takes_key(large()) and takes_key(large(endpoint="https://api.mistral.ai/v1/"))


@pytest.mark.parametrize("address", ["http://api.example.com", "ftp://127.0.0.1", "https://", "127.0.0.1:80"])
def test_a_key_never_travels_in_the_clear(address: str):
    with pytest.raises(UsageError, match="neither https nor on this machine"):
        build(ModelEntry(provider="mistral", id="x", endpoint=address), None, lambda: KEY)


def test_how_long_a_service_says_to_wait():
    assert retry_after("7", 2.0) == 7.0
    assert retry_after("0", 2.0) == 0.0
    assert retry_after("86400", 2.0) == LONGEST_WAIT_S
    assert retry_after("", 2.0) == retry_after("soon", 2.0) == 2.0
    past = format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True)
    future = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    assert (retry_after(past, 2.0), retry_after(future, 2.0)) == (0.0, LONGEST_WAIT_S)
