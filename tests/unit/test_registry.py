"""The registry of models: chains, what may be asked of them, what an `up` keeps, how it is changed."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError

from toolkit.contracts import MISTRAL_MODELS, ModelEntry, Price, Registry, default_registry, to_json
from toolkit.errors import PlatformError, TfkitError, UsageError
from toolkit.registry import NoRegistry, asked_of, chain, changed_by_hand, merged, read
from toolkit.registry_change import MOST_OF_BEDROCK, PROFILE_ARN, ROOM, change, characters
from toolkit.registry_edit import IDS, Wanted, adding, choosing, removing

HAIKU = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
MADE = default_registry("us-east-1")


def entry(*fallbacks: str, **fields: Any) -> ModelEntry:
    return ModelEntry(provider="bedrock", id="x.y", fallbacks=fallbacks, **fields)


def registry(**models: ModelEntry) -> Registry:
    return Registry(default=next(iter(models)), models=models)


def names(of: Registry, name: str = "") -> list[str]:
    return [each for each, _ in chain(of, name)]


def test_a_chain_brings_those_that_its_models_fall_back_to():
    many = registry(a=entry("b", "d"), b=entry("c"), c=entry("d"), d=entry())
    assert names(many) == ["a", "b", "c", "d"]
    assert names(many, "c") == ["c", "d"]
    assert names(many, "d") == ["d"]


@pytest.mark.parametrize(
    ("models", "said"),
    [
        ({"a": entry("a")}, "in a circle: a → a"),
        ({"a": entry("b"), "b": entry("c"), "c": entry("b")}, "in a circle: a → b → c → b"),
        ({"a": entry("b"), "b": entry("gone")}, "b falls back to 'gone', which the registry has not"),
    ],
)
def test_a_chain_that_cannot_be(models: dict[str, ModelEntry], said: str):
    with pytest.raises(UsageError, match=said) as refusal:
        chain(registry(**models), "a")
    assert refusal.value.hint


def test_what_is_asked_for_is_within_what_each_model_takes():
    haiku, large = ("haiku", MADE.models["haiku"]), ("large", MISTRAL_MODELS["mistral-large"])
    assert asked_of(haiku) == haiku
    name, hot = asked_of(haiku, 0.7, 1_000)
    assert (name, hot.temperature, hot.max_tokens) == ("haiku", 0.7, 1_000)
    assert asked_of(large, 1.5)[1].temperature == 1.5
    assert asked_of(haiku, None, 64_000)[1].max_tokens == 64_000
    for model, temperature, tokens, said in (
        (haiku, 1.2, None, "haiku takes a temperature from 0 to 1, not 1.2"),
        (haiku, None, 64_001, "an answer of haiku has 1 to 64,000 tokens"),
        (large, None, 20_000, "an answer of large has 1 to 16,384 tokens"),
        (("m", entry(temperature=None)), 0.0, None, "m takes no temperature"),
    ):
        with pytest.raises(UsageError, match=said):
            asked_of(model, temperature, tokens)


# -- what an up keeps -----------------------------------------------------------------------------------


def test_an_up_keeps_the_users_models_and_default_and_brings_its_own_up_to_date():
    own = entry("haiku", profile="arn:old")
    old = msgspec.structs.replace(MADE.models["haiku"], id="us.anthropic.claude-old", profile="arn:h")
    deployed = Registry(default="mine", models={"haiku": old, "mine": own}, made=("haiku",), chosen=True)
    now = merged(MADE, deployed)
    assert now.models == {**MADE.models, "mine": entry("haiku")}
    assert (now.default, now.chosen, now.made) == ("mine", True, MADE.made)
    assert merged(MADE, now) == now


def test_what_up_made_and_makes_no_more_goes_and_so_does_a_default_that_went_with_it():
    llm = Registry(default="llm", models={"llm": entry()}, made=("llm",), chosen=True)
    assert merged(MADE, llm) == MADE
    unchosen = Registry(default="mine", models={"mine": entry()})
    assert merged(MADE, unchosen).default == "haiku", "only a default that somebody chose is kept"
    assert merged(MADE, None) == MADE


def test_a_new_model_of_ours_takes_its_name():
    deployed = Registry(default="haiku", models={"mistral-large": entry()})
    assert merged(MADE, deployed).models["mistral-large"] == MISTRAL_MODELS["mistral-large"]


def test_only_a_change_to_ours_is_drift():
    added = adding("mine", Wanted("bedrock", HAIKU))(MADE)
    assert not changed_by_hand(MADE, choosing("mine")(added))
    cheap = msgspec.structs.replace(MADE.models["haiku"], price=Price(input=0, output=0))
    assert changed_by_hand(MADE, msgspec.structs.replace(MADE, models={**MADE.models, "haiku": cheap}))
    less = {name: each for name, each in MADE.models.items() if name != "haiku"}
    assert changed_by_hand(MADE, msgspec.structs.replace(MADE, models=less))


# -- how it is changed ----------------------------------------------------------------------------------


def test_a_model_of_a_known_id_is_like_the_one_that_is_there():
    haiku = msgspec.structs.replace(MADE.models["haiku"], profile="arn:p")
    there = msgspec.structs.replace(MADE, models={**MADE.models, "haiku": haiku})
    mine = adding("mine", Wanted("bedrock", HAIKU, fallbacks=("mistral-large",), price=(1.0, 5.0)))(there)
    assert mine.models["mine"] == msgspec.structs.replace(
        haiku, fallbacks=("mistral-large",), price=Price(input=1, output=5)
    )
    assert mine.made == MADE.made
    assert removing("mine")(mine) == there


def test_a_model_of_a_new_id_is_as_it_is_told():
    wanted = Wanted(
        "mistral",
        "codestral-latest",
        endpoint="https://mistral.example.com/v1",
        context=32_000,
        max_tokens=4_000,
        temperature="none",
        caches=True,
        images=True,
    )
    assert adding("codestral", wanted)(MADE).models["codestral"] == ModelEntry(
        provider="mistral",
        id="codestral-latest",
        endpoint="https://mistral.example.com/v1",
        context=32_000,
        max_tokens=4_000,
        temperature=None,
        caches=True,
        takes=("text", "image"),
    )


def refused(how: Callable[[], Registry]) -> str:
    with pytest.raises(UsageError) as caught:
        how()
    return caught.value.message


@pytest.mark.parametrize(
    ("name", "wanted", "said"),
    [
        ("haiku", Wanted("bedrock", HAIKU), "has a model 'haiku' already"),
        ("My Model", Wanted("bedrock", HAIKU), "cannot be a model's name"),
        ("a--b", Wanted("bedrock", HAIKU), "cannot be a model's name"),
        ("m" * 41, Wanted("bedrock", HAIKU), "cannot be a model's name"),
        ("m", Wanted("bedrock", "arn:aws:bedrock:us-east-1:1:inference-profile/x"), "is no id of a model"),
        ("m", Wanted("bedrock", "haiku"), "is no id of a model"),
        ("m", Wanted("mistral", "two words"), "is no id of a model"),
        ("m", Wanted("bedrock", HAIKU, endpoint="https://x.example.com"), "only Mistral's API"),
        ("m", Wanted("mistral", "x", endpoint="http://x.example.com"), "neither https nor on this machine"),
        ("m", Wanted("mistral", "x", temperature="1.6"), "is no temperature"),
        ("m", Wanted("mistral", "x", temperature="nan"), "is no temperature"),
        ("m", Wanted("bedrock", HAIKU, temperature="warm"), "is no temperature"),
        ("m", Wanted("bedrock", HAIKU, max_tokens=64_001), "at most 64,000 tokens"),
        ("m", Wanted("mistral", "x", context=1_000, max_tokens=1_001), "more than the window"),
        ("m", Wanted("bedrock", HAIKU, fallbacks=("gone",)), "falls back to 'gone'"),
        ("m", Wanted("bedrock", HAIKU, fallbacks=("m",)), "in a circle"),
    ],
)
def test_a_model_that_cannot_be_is_refused(name: str, wanted: Wanted, said: str):
    assert said in refused(lambda: adding(name, wanted)(MADE))


def test_what_is_needed_is_not_removed():
    mine = adding("mine", Wanted("bedrock", HAIKU))(MADE)
    user = adding("user", Wanted("bedrock", HAIKU, fallbacks=("mine",)))(mine)
    assert "comes with tfkit" in refused(lambda: removing("haiku")(user))
    assert "user falls back to mine" in refused(lambda: removing("mine")(user))
    assert "user is the default" in refused(lambda: removing("user")(choosing("user")(user)))
    assert "unknown model 'gone'" in refused(lambda: removing("gone")(user))
    assert "unknown model 'gone'" in refused(lambda: choosing("gone")(user))


def test_every_id_of_ours_is_one():
    for region in ("us-east-1", "eu-west-1", "ap-northeast-1"):
        for each in default_registry(region).models.values():
            assert IDS[each.provider].fullmatch(each.id)


# -- where it is ----------------------------------------------------------------------------------------


class Parameter:
    """SSM with one parameter and its history; `others` write just before the next of our puts."""

    # The arguments are named as boto3 has them.

    def __init__(self, value: Registry, *others: Callable[[Registry], Registry]) -> None:
        self.history = [to_json(value).decode()]
        self.others = list(others)

    def get_parameter(self, Name: str) -> Any:  # noqa: N803
        _, _, version = Name.partition(":")
        at = int(version or len(self.history))
        return {"Parameter": {"Value": self.history[at - 1], "Version": at}}

    def put_parameter(self, Name: str, Value: str, Overwrite: bool) -> Any:  # noqa: N803
        assert Overwrite
        if self.others:
            self.history.append(to_json(self.others.pop(0)(self.now)).decode())
        self.history.append(Value)
        return {"Version": len(self.history)}

    @property
    def now(self) -> Registry:
        return msgspec.json.decode(self.history[-1], type=Registry)


def test_a_change_is_one_write():
    ssm = Parameter(MADE)
    assert change(ssm, "/p", choosing("mistral-large")) == (ssm.now, False)
    assert (ssm.now.default, len(ssm.history)) == ("mistral-large", 2)
    change(ssm, "/p", choosing("mistral-large"))
    assert len(ssm.history) == 2, "what is so already is not written"


def test_what_somebody_else_wrote_meanwhile_is_kept():
    ssm = Parameter(MADE, adding("theirs", Wanted("mistral", "x")), adding("too", Wanted("mistral", "y")))
    now, told = change(ssm, "/p", adding("mine", Wanted("bedrock", HAIKU)))
    assert told and now == ssm.now
    assert set(now.models) == {*MADE.models, "mine", "theirs", "too"}


def test_of_two_at_the_same_time_the_first_stays_and_the_other_is_told():
    theirs, mine = (adding("same", Wanted("mistral", name)) for name in ("x", "y"))
    for their_change, my_change in (
        (theirs, mine),
        (choosing("devstral-small"), choosing("mistral-large")),
    ):
        ssm = Parameter(MADE, their_change)
        with pytest.raises(UsageError, match="somebody else has just changed the same"):
            change(ssm, "/p", my_change)
        assert ssm.now == their_change(MADE)


def test_a_removal_and_a_choice_go_together():
    start = adding("mine", Wanted("bedrock", HAIKU))(MADE)
    ssm = Parameter(start, removing("mine"))
    now, _ = change(ssm, "/p", choosing("mistral-large"))
    assert (set(now.models), now.default, now.chosen) == (set(MADE.models), "mistral-large", True)
    ssm = Parameter(start, choosing("mistral-large"))
    assert change(ssm, "/p", removing("mine"))[0] == now


def test_who_is_never_alone_gives_up():
    def writer(number: int) -> Callable[[Registry], Registry]:
        return adding(f"theirs-{number}", Wanted("mistral", f"x{number}"))

    with pytest.raises(TfkitError, match="somebody else keeps changing"):
        change(Parameter(MADE, *[writer(n) for n in range(9)]), "/p", choosing("mistral-large"))


def with_models(bedrock: int, mistral: int) -> Registry:
    """As many of the user's own; the profiles of Bedrock's are still to be made."""
    full = MADE
    for number in range(bedrock):
        full = adding(f"bedrock-{number}", Wanted("bedrock", HAIKU, fallbacks=("mistral-large",)))(full)
    for number in range(mistral):
        full = adding(f"mistral-{number}", Wanted("mistral", f"a-long-name-of-a-model-{number}"))(full)
    return full


def after_up(registry: Registry) -> Registry:
    models = {
        name: msgspec.structs.replace(each, profile=PROFILE_ARN) if each.provider == "bedrock" else each
        for name, each in registry.models.items()
    }
    return msgspec.structs.replace(registry, models=models)


def test_a_registry_that_would_not_fit_once_its_profiles_are_made_is_refused_and_the_last_that_fits_is_not():
    fits = next(n for n in range(60, 0, -1) if len(to_json(after_up(with_models(4, n)))) <= ROOM)
    assert change(Parameter(MADE), "/p", lambda _: with_models(4, fits))[0] == with_models(4, fits)
    more = with_models(4, fits + 1)
    assert len(to_json(more)) < ROOM < characters(more) == len(to_json(after_up(more)))
    ssm = Parameter(MADE)
    assert "room for 4,096" in refused(lambda: change(ssm, "/p", lambda _: more)[0])
    assert len(ssm.history) == 1
    less, _ = change(Parameter(with_models(4, fits + 2)), "/p", removing("mistral-0"))
    assert characters(less) > ROOM, "what is too large already may get smaller"


def test_two_that_fit_only_one_by_one_leave_the_first_there():
    fits = next(n for n in range(60, 0, -1) if characters(with_models(3, n)) <= ROOM)
    theirs, mine = (adding(name, Wanted("mistral", "x" * 80)) for name in ("theirs", "mine"))
    start = with_models(3, fits - 2)
    ssm = Parameter(start, theirs)
    assert "room for 4,096" in refused(lambda: change(ssm, "/p", mine)[0])
    assert ssm.now == theirs(start)
    assert len(ssm.history) == 4, "theirs, ours over it, and theirs again"


def test_more_bedrock_models_than_the_next_up_would_take_are_refused():
    ssm = Parameter(with_models(MOST_OF_BEDROCK - 1, 0))
    assert "6 Bedrock models" in refused(lambda: change(ssm, "/p", adding("m", Wanted("bedrock", HAIKU)))[0])
    change(ssm, "/p", adding("m", Wanted("mistral", "x")))
    assert len(ssm.history) == 2


@pytest.mark.parametrize("value", ["{", '{"models":{}}'])
def test_a_parameter_that_is_no_registry_is_named(value: str):
    ssm = Parameter(MADE)
    ssm.history = [value]
    with pytest.raises(NoRegistry, match=r"\(/p\) cannot be read"):
        change(ssm, "/p", choosing("haiku"))


@pytest.mark.parametrize(
    ("code", "kind"), [("ParameterNotFound", NoRegistry), ("AccessDeniedException", PlatformError)]
)
def test_a_parameter_that_is_not_there_is_told_from_one_that_may_not_be_read(code: str, kind: type):
    class Refuses:
        def get_parameter(self, Name: str) -> Any:  # noqa: N803
            raise ClientError({"Error": {"Code": code, "Message": Name}}, "GetParameter")

    with pytest.raises(PlatformError, match=r"\(/p\) cannot be read") as refusal:
        read(Refuses(), "/p")
    assert type(refusal.value) is kind and refusal.value.hint


def test_old_registries_decode_and_the_usual_is_left_out():
    old = b'{"default":"a","models":{"a":{"provider":"bedrock","id":"x.y","profile":"","context":200000}}}'
    assert msgspec.json.decode(old, type=Registry).models["a"] == entry()
    assert to_json(registry(a=entry())) == b'{"default":"a","models":{"a":{"provider":"bedrock","id":"x.y"}}}'
