"""What a validator says wrongly is its error, by name; never a finding, and never nothing."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.trace import NoOpTracer

from toolkit.checker.running import run_validator, run_validators
from toolkit.checker.sound import MAX_FINDINGS, sound_findings
from toolkit.checker.terraform import Terraform
from toolkit.checker.validator import Stage
from toolkit.contracts import Finding, Shape, Tool
from toolkit.errors import PlatformError, UsageError

GOOD = {"validator": "mine", "rule": "r", "severity": "low", "message": "m"}


def finding(**changes: Any) -> Finding:
    return Finding(**{**GOOD, **changes})


class Mine:
    name = "mine"

    def __init__(self, act: Callable[[], Any]) -> None:
        self._act = act

    def tool(self) -> Tool | None:
        return None

    def check(self, stage: Stage) -> Any:
        return self._act()


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    (tmp_path / "stage").mkdir()
    terraform = Terraform(Path("/nowhere"), tmp_path / "stage", tmp_path / "private", "")
    return Stage(root=tmp_path / "stage", terraform=terraform, deadline_s=5, initialised=True)


def test_a_sound_finding_passes_as_it_is() -> None:
    good = finding(file="modules/a/main.tf", line=3, hint="do\nthis", url="https://example.com")
    assert sound_findings([good, finding()], "mine") == [good, finding()]


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"message": "a dict"}, "dict in the place of a finding"),
        (None, "NoneType"),
        ("text", "str"),
        (finding(severity="terrible"), "malformed"),
        (finding(line="3"), "malformed"),
        (finding(message=7), "malformed"),
        (finding(message=object()), "malformed"),
        (finding(line=-1), "line -1"),
        (finding(line=10**12), "line 1000000000000"),
        (finding(file="/etc/passwd"), "outside the tree"),
        (finding(file="../x.tf"), "outside the tree"),
        (finding(file="a/../../x.tf"), "outside the tree"),
        (finding(file="a\x1b[2Jb.tf"), "no name of a file"),
        (finding(rule=""), "the rule"),
        (finding(rule="a\nb"), "the rule"),
        (finding(validator="fmt"), "of 'fmt'"),
    ],
)
def test_nonsense_is_an_error_that_names_the_validator(item: Any, words: str, stage: Stage) -> None:
    result = run_validator(Mine(lambda: [finding(), item]), stage)
    assert (result.status, result.findings) == ("error", [])
    assert "mine" in result.detail
    assert words in result.detail


def test_a_stream_without_end_is_cut_and_is_an_error(stage: Stage) -> None:
    def without_end() -> Iterator[Finding]:
        while True:
            yield finding()

    result = run_validator(Mine(without_end), stage)
    assert result.status == "error"
    assert f"more than {MAX_FINDINGS} findings" in result.detail


def test_what_a_terminal_would_obey_is_taken_out_of_texts() -> None:
    (found,) = sound_findings([finding(message="a\x1b[31m\x00\tb\nc" + "x" * 9000)], "mine")
    assert found.message.startswith("a?[31m? b\ncxxx")
    assert len(found.message) == 4000


@pytest.mark.parametrize(
    "error", [SystemExit(0), KeyboardInterrupt(), GeneratorExit(), RecursionError("deep")]
)
def test_whatever_it_raises_is_an_error_and_never_ok(error: BaseException, stage: Stage) -> None:
    def act() -> Iterator[Finding]:
        raise error

    (result,) = run_validators([Mine(act)], stage, NoOpTracer()).values()
    assert result.status == "error"
    assert f"the validator mine failed: {type(error).__name__}" in result.detail


@pytest.mark.parametrize("answer", [None, 3, finding()])
def test_what_is_no_series_of_findings_is_an_error(answer: Any, stage: Stage) -> None:
    assert run_validator(Mine(lambda: answer), stage).status == "error"


def test_options_come_in_the_validators_own_shape(stage: Stage) -> None:
    class Mild(Shape, frozen=True):
        level: int = 1

    assert stage.options_as(Mild) == Mild()
    from msgspec.structs import replace

    assert replace(stage, options={"level": 3}).options_as(Mild).level == 3
    with pytest.raises(UsageError, match="level"):
        replace(stage, options={"level": "x"}).options_as(Mild)
    with pytest.raises(UsageError, match="other"):
        replace(stage, options={"other": 1}).options_as(Mild)


def test_sound_findings_names_the_validator_that_it_does_not_believe() -> None:
    with pytest.raises(PlatformError, match="the validator mine cannot be believed"):
        sound_findings([1], "mine")
