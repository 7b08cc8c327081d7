"""The gate of a run as it is deployed: linters, a team's policy, somebody else's validator."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from driver import Tfkit
from plugin_example import example, install, make_environment

from toolkit.checker.tools import EXECUTABLES, find_tool, tools_folder
from toolkit.local import control

# Of whoever runs the tests; read before each test gets a home of its own.
INSTALLED = tools_folder(dict(os.environ))
MISSING = [name for name in EXECUTABLES if find_tool(name) is None]

PROMPT = "an encrypted s3 bucket named acme-logs"
POLICY = '[tags]\nrequired = ["cost-center"]\n'


def checked(run: dict[str, Any]) -> dict[str, str]:
    """The checks of a run, each with the tool that it says it used."""
    return {
        check["validator"]: f"{check['tool']['name']} {check['tool']['version']}" for check in run["checks"]
    }


@pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)} (tfkit validators install)")
def test_a_run_is_checked_by_the_linters_that_are_installed_and_says_so(tfkit: Tfkit, home: Path) -> None:
    if INSTALLED and INSTALLED.is_dir():
        (home / "tools").symlink_to(INSTALLED)
    tfkit.json("up")
    run = tfkit.json("ask", PROMPT, "-o", "linted")
    assert run["status"] == "ok"
    assert run["attempts"][-1]["validators"].keys() >= {"fmt", "validate", "tflint", "checkov"}
    tools = checked(run)
    assert tools["tflint"].startswith("tflint ") and tools["checkov"].startswith("checkov ")
    assert not {"tflint", "checkov"} & {skipped["validator"] for skipped in run["skipped"]}
    told = tfkit("runs", "show", run["run_id"]).stdout
    assert f"checkov ({tools['checkov']})" in told and f"tflint ({tools['tflint']})" in told

    # The same tree with the command that needs no model: the same verdict, from the same checks.
    again = tfkit.json("validate", "linted")
    assert again["ok"] is True
    assert {check["validator"] for check in again["checks"]} == set(run["attempts"][-1]["validators"])


@pytest.mark.thorough
def test_a_team_s_policy_closes_the_gate_and_the_rule_is_named(tfkit: Tfkit, home: Path) -> None:
    (home / "tfkit-policy.toml").write_text(POLICY)
    try:
        tfkit.json("up", "--validators", "fmt,validate,policy")
    finally:
        (home / "tfkit-policy.toml").unlink()  # the rules went with `up`
    run = tfkit.json("ask", PROMPT, "-o", "untagged", code=3)
    assert run["status"] == "not_converged"
    assert run["attempts"][-1]["validators"] == {"fmt": "ok", "validate": "ok", "policy": "findings"}
    found = run["attempts"][-1]["findings"]
    assert {(finding["validator"], finding["rule"]) for finding in found} == {("policy", "tags")}
    assert all("cost-center" in finding["message"] for finding in found)
    assert list((home / "untagged").glob("*.tf")), "the tree is stored all the same"
    told = tfkit("runs", "show", run["run_id"]).stdout
    assert "[policy/tags]" in told and "cost-center" in told

    assert tfkit("up", "--validators", "nope").returncode == 2
    tfkit.json("up", "--validators", "none")


@pytest.fixture
def guest(tmp_path: Path) -> Iterator[Tfkit]:
    """tfkit in an environment that has the example of docs/plugins.md, which crashes."""
    python = make_environment(tmp_path / "environment")
    (tmp_path / "acme").mkdir()
    source = example(tmp_path / "acme")
    code = source / "acme_validators.py"
    broken = code.read_text().replace(
        "for path in sorted(", 'raise RuntimeError("boom")\n        for path in sorted('
    )
    assert "boom" in broken
    code.write_text(broken)
    install(python, source)
    home = tmp_path / "home"
    home.mkdir()
    yield Tfkit(home, python)
    for stack in (home / "local").glob("*"):
        control.clean(stack)


def test_a_plugin_that_crashes_ends_the_run_and_is_named(guest: Tfkit) -> None:
    (guest.home / "tfkit.toml").write_text("[validators.pinned-images]\n")
    guest.json("up")
    run = guest.json("ask", PROMPT, code=1)
    assert run["status"] == "error"
    assert "the validator pinned-images failed: RuntimeError: boom" in run["error"]
    (attempt,) = run["attempts"]
    assert attempt["validators"]["pinned-images"] == "error"
    assert attempt["validators"]["validate"] == "ok"

    (guest.home / "tfkit.toml").write_text("[validators.pinned-images]\nrequired = false\n")
    guest.json("up")
    run = guest.json("ask", PROMPT)
    assert run["status"] == "ok"
    assert run["attempts"][-1]["validators"]["pinned-images"] == "error"
    assert "not checked: pinned-images: error" in guest("runs", "show", run["run_id"]).stdout
