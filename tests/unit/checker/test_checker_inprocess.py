import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from checker_fakes import HEAD, Fake, tree
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from toolkit.checker import registry, running
from toolkit.checker.inprocess import InProcessChecker
from toolkit.checker.registry import default_validators, load_validators, validator_names
from toolkit.checker.validator import Stage
from toolkit.contracts import Finding, Tool, Tree
from toolkit.errors import PlatformError, ToolMissing, UsageError

BOTH = ["fmt", "validate"]
MakeFake = Callable[..., Fake]


class Probe:
    """A validator whose behaviour a test sets."""

    name = "probe"
    act: Callable[[Stage], Iterable[Finding]] = staticmethod(lambda stage: [])

    def tool(self) -> Tool | None:
        return None

    def check(self, stage: Stage) -> Iterable[Finding]:
        return type(self).act(stage)


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    entry = EntryPoint("probe", f"{__name__}:Probe", registry.GROUP)
    installed = {**registry._installed(), "probe": entry}
    monkeypatch.setattr(registry, "_installed", lambda: installed)
    return lambda act: monkeypatch.setattr(Probe, "act", staticmethod(act))


def test_the_built_in_validators_come_through_the_public_door() -> None:
    assert set(BOTH) <= set(validator_names())
    assert default_validators() == (*BOTH, "rehearse")
    assert [v.name for v in load_validators(["validate", "fmt", "validate"])] == ["validate", "fmt"]


def test_an_unknown_validator_names_the_known_ones(checker: InProcessChecker) -> None:
    with pytest.raises(UsageError, match="nonsense") as error:
        checker.check(tree(main_tf=""), ["fmt", "nonsense"])
    assert "fmt" in error.value.hint
    with pytest.raises(UsageError):
        checker.check(tree(main_tf=""), [])


def test_results_and_init_are_remembered(fake_terraform: MakeFake, checker: InProcessChecker) -> None:
    fake = fake_terraform()
    first, second = tree(main_tf=HEAD), tree(main_tf=HEAD + "locals {}\n")
    report = checker.check(first, BOTH)
    assert report.clean
    assert report.tree == first.hash
    assert [r.validator for r in report.results] == BOTH
    assert checker.check(first, BOTH) == report
    assert (fake.calls("init"), fake.calls("validate"), fake.calls("fmt")) == (1, 1, 1)
    checker.check(second, ["validate"])
    assert (fake.calls("init"), fake.calls("validate")) == (1, 2)
    checker.check(second, BOTH)
    assert (fake.calls("validate"), fake.calls("fmt")) == (2, 2)
    checker.check(tree(main_tf=HEAD.replace("5.0", "6.0")), BOTH)
    assert fake.calls("init") == 2


def test_an_old_tree_gets_its_init_again_after_another_one(
    fake_terraform: MakeFake, checker: InProcessChecker
) -> None:
    fake = fake_terraform()
    first, second = tree(main_tf=HEAD), tree(main_tf=HEAD.replace("5.0", "6.0"))
    assert [checker.init(t).status for t in (first, second, first)] == ["ok"] * 3
    assert fake.calls("init") == 3


def test_failures_are_not_remembered(fake_terraform: MakeFake, checker: InProcessChecker) -> None:
    crash = "if verb == 'validate' and not os.path.exists(place + '/ok'):\n    print('nonsense'); sys.exit(1)"
    fake = fake_terraform(crash)
    (result,) = checker.check(tree(main_tf=HEAD), ["validate"]).results
    assert result.status == "error"
    assert "terraform validate gave no answer" in result.detail
    (fake.folder / "ok").touch()
    assert checker.check(tree(main_tf=HEAD), ["validate"]).clean


def test_a_refused_tree_is_seen_by_no_tool(fake_terraform: MakeFake, checker: InProcessChecker) -> None:
    fake = fake_terraform()
    planted = {"main.tf": b"", ".terraform/terraform.tfstate": b"{}", "a_override.tf": b"", "x.lock.hcl": b""}
    report = checker.check(Tree(files=planted), BOTH)
    assert not report.clean
    assert [r.validator for r in report.results] == ["staging"]
    assert {f.file for f in report.findings} == set(planted) - {"main.tf"}
    assert {"fmt", "validate"} <= {s.validator for s in report.skipped}
    report = checker.check(tree(main_tf='data "external" "a" {}\n'), BOTH)
    assert [(r.validator, r.status) for r in report.results] == [("scan", "findings")]
    assert checker.init(tree(main_tf='data "external" "a" {}\n')).validator == "scan"
    assert fake.calls("init") + fake.calls("fmt") + fake.calls("validate") == 0


def test_a_deadline_is_an_error_that_says_so(fake_terraform: MakeFake, tmp_path: Path) -> None:
    fake_terraform("if verb == 'validate':\n    time.sleep(600)")
    checker = InProcessChecker(tmp_path / "work", validator_timeout_s=1)
    results = {r.validator: r for r in checker.check(tree(main_tf=HEAD), BOTH).results}
    assert results["fmt"].status == "ok"
    assert results["validate"].status == "error"
    assert "terraform validate took longer than 1 s" in results["validate"].detail
    checker.close()


def test_an_init_that_hangs_is_an_error_of_what_needs_it(fake_terraform: MakeFake, tmp_path: Path) -> None:
    fake_terraform("if verb == 'init':\n    time.sleep(600)")
    checker = InProcessChecker(tmp_path / "work", init_timeout_s=1)
    assert checker.init(tree(main_tf=HEAD)).status == "error"
    results = {r.validator: r for r in checker.check(tree(main_tf=HEAD), BOTH).results}
    assert results["fmt"].status == "ok"
    assert (results["validate"].status, results["validate"].findings) == ("error", [])
    assert "terraform init took longer than 1 s" in results["validate"].detail
    checker.close()


def raising(error: Exception) -> Callable[[Stage], Iterable[Finding]]:
    def act(stage: Stage) -> Iterable[Finding]:
        yield Finding(validator="probe", rule="r", severity="low", message="before the crash")
        raise error

    return act


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("boom"), "the validator probe failed: ValueError: boom"),
        (ToolMissing("no probe-tool", "Install it."), "probe: no probe-tool (Install it.)"),
        (TimeoutError(), "the validator probe took longer than 60 s"),
    ],
)
def test_a_crash_of_a_validator_closes_the_gate_and_names_it(
    error: Exception,
    words: str,
    fake_terraform: MakeFake,
    checker: InProcessChecker,
    probe: Callable[..., None],
) -> None:
    fake_terraform()
    probe(raising(error))
    report = checker.check(tree(main_tf=""), ["fmt", "probe"])
    assert [r.status for r in report.results] == ["ok", "error"]
    assert report.results[1].detail == words
    assert not report.clean


def test_a_validator_that_hangs_in_python_is_given_up(
    fake_terraform: MakeFake, tmp_path: Path, probe: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_terraform()
    monkeypatch.setattr(running, "GRACE_S", 0.1)
    release = threading.Event()
    probe(lambda stage: list[Finding]() * release.wait(600))
    checker = InProcessChecker(tmp_path / "work", validator_timeout_s=0.5)
    (result,) = checker.check(tree(main_tf=""), ["probe"]).results
    release.set()
    assert (result.status, result.detail) == ("error", "the validator probe took longer than 0.5 s")
    checker.close()


def test_spans_tell_what_ran(fake_terraform: MakeFake, tmp_path: Path) -> None:
    fake_terraform("if verb == 'validate':\n    sys.exit(1)")
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    checker = InProcessChecker(tmp_path / "work", tracer=tracer)
    outer: AbstractContextManager[object] = tracer.start_as_current_span("outer")
    with outer:
        checker.check(tree(main_tf=HEAD), BOTH)
    checker.close()
    spans = {span.name: span for span in exporter.get_finished_spans()}
    assert set(spans) == {"outer", "terraform init", "validator fmt", "validator validate"}
    parents = {s.parent.span_id for name, s in spans.items() if name != "outer" and s.parent}
    assert parents == {spans["outer"].context.span_id}
    attributes = spans["validator validate"].attributes
    assert attributes == {"tfkit.validator": "validate", "tfkit.status": "error", "tfkit.findings": 0}
    assert not spans["validator validate"].status.is_ok
    assert spans["validator fmt"].attributes["tfkit.status"] == "ok"


def test_close_removes_everything_and_may_come_twice(fake_terraform: MakeFake, tmp_path: Path) -> None:
    fake_terraform()
    checker = InProcessChecker(tmp_path / "work")
    checker.check(tree(main_tf=""), BOTH)
    assert list((tmp_path / "work").iterdir()) != []
    checker.close()
    checker.close()
    assert list((tmp_path / "work").iterdir()) == []


def test_missing_terraform_ends_the_check_as_the_platforms_failure(
    checker: InProcessChecker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PlatformError, match="terraform is not on PATH"):
        checker.check(tree(main_tf=""), BOTH)


def test_a_disk_that_does_not_take_the_stage_is_the_platforms_failure(
    fake_terraform: MakeFake, tmp_path: Path
) -> None:
    fake_terraform()
    (tmp_path / "work").write_text("a file where a folder should be")
    with pytest.raises(PlatformError, match="cannot be staged"):
        InProcessChecker(tmp_path / "work").check(tree(main_tf=""), BOTH)


def test_a_tree_without_terraform_files_is_not_valid(
    fake_terraform: MakeFake, checker: InProcessChecker
) -> None:
    fake = fake_terraform()
    (result,) = checker.check(tree(m__main_tf=HEAD), ["validate"]).results
    assert [f.rule for f in result.findings] == ["no-terraform-files"]
    assert fake.calls("init") == 0


def test_the_rehearsal_that_is_not_asked_for_is_named(
    fake_terraform: MakeFake, checker: InProcessChecker
) -> None:
    fake_terraform()
    report = checker.check(tree(main_tf=""), BOTH, rehearse="plan")
    assert [(s.validator, s.reason) for s in report.skipped] == [("rehearse", "it was not asked for")]
