"""Other people's validators, each in a process of its own: whatever one does, the result names it."""

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from checker_fakes import Fake, tree
from plugin_environment import make_environment, site_packages

from toolkit.checker import registry
from toolkit.checker.foreign import ForeignValidator
from toolkit.checker.inprocess import InProcessChecker
from toolkit.checker.registry import load_validators, not_proven, tool_of
from toolkit.checker.selection import ValidatorSettings
from toolkit.contracts import CheckResult, Tool
from toolkit.errors import PlatformError

MODULE = """
import json, os, sys, time
from toolkit.contracts import Finding, Tool

class Base:
    name = "mine"
    def tool(self):
        return Tool(name="mine", version="1")
    def finding(self, **changes):
        values = dict(validator="mine", rule="r", severity="high", message="m", file="main.tf", line=1)
        return Finding(**{**values, **changes})

class Good(Base):
    def check(self, stage):
        print("a line that is no answer")
        text = (stage.root / "main.tf").read_text()
        yield self.finding(message=f"{text.strip()} {stage.options.get('word')} {stage.deadline_s:g}")

class Environment(Base):
    def check(self, stage):
        yield self.finding(message=json.dumps(dict(os.environ)))

class Raises(Base):
    def check(self, stage):
        yield self.finding()
        raise ValueError("boom")

class Exits(Base):
    def check(self, stage):
        sys.exit(0)

class Dies(Base):
    def check(self, stage):
        os._exit(0)

class Hangs(Base):
    def check(self, stage):
        open(stage.options["pid"], "w").write(str(os.getpid()))
        while True:
            time.sleep(600)

class Outside(Base):
    def check(self, stage):
        yield self.finding(file="../../x")

class Million(Base):
    def check(self, stage):
        for number in range(10**6):
            yield self.finding(line=number)

class Forges(Base):
    def check(self, stage):
        open("answer.json", "w").write('{"findings": [{"validator": 1}]}')
        os._exit(0)

class NoClass:
    def __init__(self, needed): pass
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("environment")
    python = make_environment(folder)
    (site_packages(folder) / "mine.py").write_text(MODULE)
    (site_packages(folder) / "crashes.py").write_text("raise SystemExit(0)\n")
    return python


@pytest.fixture
def check(
    environment: Path,
    fake_terraform: Callable[..., Fake],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., CheckResult]:
    fake_terraform()
    monkeypatch.setattr(sys, "executable", str(environment))

    def run(value: str, deadline_s: float = 60, **options: str) -> CheckResult:
        foreign = ForeignValidator("mine", value, "their-package", "1.0")
        monkeypatch.setattr("toolkit.checker.inprocess.load_validators", lambda names: [foreign])
        settings = {"mine": ValidatorSettings(deadline_s=deadline_s, options=dict(options))}
        checker = InProcessChecker(tmp_path / "work", settings=settings, unsandboxed=True)
        try:
            (result,) = checker.check(tree(main_tf="locals {}\n"), ["mine"]).results
            return result
        finally:
            checker.close()

    return run


def test_findings_come_back_and_options_and_deadline_go_there(check: Callable[..., CheckResult]) -> None:
    result = check("mine:Good", deadline_s=33, word="hello")
    assert (result.status, result.detail) == ("findings", "")
    assert [f.message for f in result.findings] == ["locals {} hello 33"]
    assert result.tool == Tool(name="their-package", version="1.0")


def test_it_has_no_credentials_in_its_environment(
    check: Callable[..., CheckResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cr3t-marker")
    monkeypatch.setenv("TFKIT_MISTRAL_KEY", "s3cr3t-marker")
    (found,) = check("mine:Environment").findings
    assert "s3cr3t-marker" not in found.message
    assert '"HOME"' in found.message


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("mine:Raises", "the validator mine failed: ValueError: boom"),
        ("mine:Exits", "the validator mine failed: SystemExit"),
        ("mine:Dies", "the validator mine ended without an answer"),
        ("mine:Outside", "outside the tree"),
        ("mine:Million", "more than 5000 findings"),
        ("mine:Forges", "the validator mine cannot be believed"),
        ("mine:NoClass", "the validator mine failed: TypeError"),
        ("mine:Absent", "the validator mine failed: AttributeError"),
        ("crashes:Any", "the validator mine failed: SystemExit"),
        ("no_such_module_anywhere:X", "the validator mine failed: ModuleNotFoundError"),
    ],
)
def test_it_is_an_error_that_names_it(check: Callable[..., CheckResult], value: str, words: str) -> None:
    result = check(value)
    assert (result.status, result.findings) == ("error", [])
    assert "mine" in result.detail
    assert words in result.detail


def test_one_that_hangs_is_killed_at_its_deadline(check: Callable[..., CheckResult], tmp_path: Path) -> None:
    note = tmp_path / "pid"
    # Long enough for its Python to start on a busy machine: it must be in its endless loop.
    result = check("mine:Hangs", deadline_s=6, pid=str(note))
    assert (result.status, result.detail) == ("error", "the validator mine took longer than 6 s")
    with pytest.raises(ProcessLookupError):
        os.kill(int(note.read_text()), 0)


def claimed(monkeypatch: pytest.MonkeyPatch, *owners: str) -> None:
    monkeypatch.setattr(registry, "_clashes", lambda: {"fmt": sorted(owners)} if len(owners) > 1 else {})


def test_a_name_that_two_packages_claim_is_neithers(
    checker: InProcessChecker, monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed(monkeypatch, "tfkit-platform", "evil")
    with pytest.raises(PlatformError, match="the validator fmt comes from evil and tfkit-platform"):
        checker.check(tree(main_tf=""), ["fmt"])
    assert tool_of("fmt") is None


def test_clashes_are_seen_in_the_metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    twice = [EntryPoint("fmt", "a:B", registry.GROUP), EntryPoint("fmt", "c:D", registry.GROUP)]
    monkeypatch.setattr(registry, "entry_points", lambda group: twice)
    assert registry._clashes.__wrapped__() == {"fmt": ["", ""]}


def test_one_of_our_own_that_exits_on_import_is_the_platforms_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "exits_on_import.py").write_text("raise SystemExit(0)\n")
    monkeypatch.syspath_prepend(tmp_path)
    entry = EntryPoint("fmt", "exits_on_import:X", registry.GROUP)
    monkeypatch.setattr(registry, "_installed", lambda: {"fmt": entry})
    with pytest.raises(PlatformError, match="the validator fmt cannot be loaded: SystemExit"):
        load_validators(["fmt"])
    with pytest.raises(PlatformError):
        not_proven(["fmt"])


def test_nothing_foreign_is_imported_in_this_process(environment: Path) -> None:
    code = (
        "import sys\nfrom importlib.metadata import EntryPoint\nfrom toolkit.checker import registry\n"
        "class Dist:\n    name = 'theirs'\n    version = '1'\n"
        "entry = EntryPoint('mine', 'crashes:X', registry.GROUP)._for(Dist())\n"
        "registry._installed = lambda: {'mine': entry}\n"
        "(found,) = registry.load_validators(['mine'])\n"
        "print(type(found).__name__, 'crashes' in sys.modules, registry.installed_validators())\n"
    )
    done = subprocess.run([str(environment), "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("ForeignValidator False [Installed(name='mine', distribution='theirs'")
