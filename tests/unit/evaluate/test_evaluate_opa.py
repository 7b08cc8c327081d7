"""Rules on a plan, asked of a real OPA: right, wrong, broken, hostile; and how an OPA is come by."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from toolkit.contracts import to_json
from toolkit.errors import PlatformError, ToolMissing, UsageError
from toolkit.evaluate import opa as module
from toolkit.evaluate.opa import ENVIRONMENT_NAME, VERSION, Opa, find_opa, require_opa

PLAN = to_json({"resource_changes": [{"type": "aws_sqs_queue", "change": {"after": {"delay_seconds": 5}}}]})

OLD = """
package queue
default valid = false
valid { input.resource_changes[_].change.after.delay_seconds == %d }
"""
NEW = """
package queue
import rego.v1
default valid := false
valid if { some c in input.resource_changes; c.change.after.delay_seconds == %d }
"""


@pytest.mark.parametrize("rule", [OLD, NEW])
def test_a_rule_holds_or_fails(opa: Opa, rule: str) -> None:
    assert opa.rule(rule % 5, PLAN).status == "passes"
    ruling = opa.rule(rule % 6, PLAN)
    assert ruling == ("fails", "false: queue.valid")


@pytest.mark.parametrize(
    "rule",
    [
        "package a\nvalid { input.nothing }",
        "package a\nhelper = 3",
        "package a\nvalid = false { true }\nother = true",
        "package a\nseen[x] { x := input.resource_changes[_].type }",
    ],
)
def test_a_rule_that_does_not_say_true_does_not_hold(opa: Opa, rule: str) -> None:
    assert opa.rule(rule, PLAN).status == "fails"


def test_what_a_helper_collects_is_no_decision(opa: Opa) -> None:
    plan = to_json({"resource_changes": [{"type": "aws_instance", "fresh": False}]})
    helper = "package a\nfound[r] { r := input.resource_changes[_] }\ndefault ok = false\n"
    assert opa.rule(f"{helper}ok {{ count(found) == 1 }}", plan).status == "passes"
    assert opa.rule(f"{helper}ok {{ count(found) == 2 }}", plan) == ("fails", "false: a.ok")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("package a\nvalid {", "rego_parse_error"),
        ("package a\nvalid { nobody(input) }", "undefined function nobody"),
        ('package a\nvalid { http.send({"method": "get", "url": "http://127.0.0.1:1"}) }', "http.send"),
        ("package a\nvalid { opa.runtime().env }", "opa.runtime"),
        ('package a\nvalid { net.lookup_ip_addr("localhost") }', "net.lookup_ip_addr"),
    ],
)
def test_a_rule_that_is_broken_or_hostile_is_an_error_of_the_rule(opa: Opa, rule: str, said: str) -> None:
    ruling = opa.rule(rule, PLAN)
    assert ruling.status == "error"
    assert said in ruling.reason


def test_a_rule_without_end_is_ended(opa: Opa, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RULE_S", 0.3)
    many = "numbers.range(1, 3000)[_]"
    ruling = opa.rule(f"package a\nvalid {{ x := {many}; y := {many}; z := {many}; x + y + z < 0 }}", PLAN)
    assert ruling == ("error", "the rule took longer than 20 s")


def test_what_is_named_is_found_first(opa: Opa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT_NAME, str(opa.executable))
    found = find_opa()
    assert found
    assert found.tool.name == "opa"
    monkeypatch.setenv(ENVIRONMENT_NAME, str(tmp_path / "none"))
    with pytest.raises(UsageError, match="no file"):
        find_opa()


def test_what_is_no_opa_is_not_believed(tmp_path: Path) -> None:
    script = tmp_path / "opa"
    script.write_text("#!/bin/sh\necho Version: 0.70.0\n")
    script.chmod(0o755)
    with pytest.raises(PlatformError):
        _ = Opa(script).tool


@pytest.fixture
def released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """A machine without OPA and Go, and what lies at the publisher's; what is there is no real program."""
    monkeypatch.setattr(module.shutil, "which", lambda name: None)
    monkeypatch.setenv("TFKIT_TOOLS", str(tmp_path / "tools"))
    asset = b"an executable"
    held = {"asset": asset, "sha256": hashlib.sha256(asset).hexdigest().encode() + b"  opa\n"}

    def fetch(url: str) -> bytes:
        assert url.startswith(module.RELEASE)
        return held["sha256"] if url.endswith(".sha256") else held["asset"]

    class Fake(Opa):
        tool: Any = module.Tool(name="opa", version=VERSION)

    monkeypatch.setattr(module, "fetch", fetch)
    monkeypatch.setattr(module, "Opa", Fake)
    return held


def test_the_release_is_held_against_its_checksum(released: dict[str, bytes], tmp_path: Path) -> None:
    said: list[str] = []
    made = require_opa(said.append)
    assert made.executable.read_bytes() == released["asset"]
    assert "trusted at this first use" in said[0]
    assert require_opa(said.append).executable == made.executable
    assert len(said) == 1


def test_a_release_that_is_another_leaves_nothing_behind(released: dict[str, bytes], tmp_path: Path) -> None:
    released["asset"] = b"something else"
    with pytest.raises(PlatformError, match="SHA-256"):
        require_opa(lambda text: None)
    assert find_opa() is None
    assert not list((tmp_path / "tools").glob("opa-*"))


def test_the_checksum_of_the_first_time_is_kept(released: dict[str, bytes]) -> None:
    made = require_opa(lambda text: None)
    made.executable.unlink()
    released["asset"] = b"another program"
    released["sha256"] = hashlib.sha256(b"another program").hexdigest().encode()
    with pytest.raises(PlatformError, match="SHA-256"):
        require_opa(lambda text: None)


def test_without_a_network_it_is_said_what_to_do(
    released: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(url: str) -> bytes:
        raise ToolMissing(f"{url} cannot be fetched", "go online once")

    monkeypatch.setattr(module, "fetch", offline)
    with pytest.raises(ToolMissing, match="cannot be fetched"):
        require_opa(lambda text: None)
