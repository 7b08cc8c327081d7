"""The composite action: inputs reach the shell as variables alone, and the exit code is the command's."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from test_verifying import OURS, der, signed

from toolkit.contracts import Tree
from toolkit.dsse import to_pem

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]


def step(name: str) -> dict[str, Any]:
    return next(one for one in STEPS if one.get("name") == name)


def test_every_input_is_used_and_every_used_one_is_there() -> None:
    used = set(re.findall(r"inputs\.([a-z-]+)", json.dumps(STEPS)))
    assert used == set(ACTION["inputs"])
    assert all(one["description"] and "default" in one for one in ACTION["inputs"].values())
    assert ACTION["runs"]["using"] == "composite"


def test_no_expression_stands_in_a_script_and_every_variable_of_a_script_is_given() -> None:
    scripts = [one for one in STEPS if "run" in one]
    assert len(scripts) == 3
    for one in scripts:
        assert "${{" not in one["run"]
        assert one["shell"] == "bash"
        used = set(re.findall(r"\$\{?([A-Z_]{2,})", one["run"]))
        assert used - set(one["env"]) <= {"GITHUB_OUTPUT", "RUNNER_TEMP", "RANDOM"}
        assert set(one["env"]) <= used


def test_what_the_command_would_take_for_a_setting_is_not_in_its_environment() -> None:
    assert not [name for one in STEPS for name in one.get("env", {}) if name.startswith("TFKIT_")]


def test_the_outputs_come_from_steps_that_are_there() -> None:
    ids = {one["id"] for one in STEPS if "id" in one}
    said = re.findall(r"steps\.([a-z]+)\.outputs\.([a-z-]+)", json.dumps([ACTION["outputs"], STEPS]))
    for name, output in said:
        script = next(one["run"] for one in STEPS if one.get("id") == name)
        assert name in ids and re.search(rf"{output}(=|<<)%s", script)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra" / "main.tf").write_text('variable "a" {}\n')
    tfkit = tmp_path / "tfkit"
    tfkit.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m toolkit "$@"\n')
    tfkit.chmod(0o755)
    return tmp_path


def run(name: str, workspace: Path, **inputs: str) -> tuple[int, str, str]:
    """A script as the runner runs it: its exit code, what it printed, and its outputs."""
    outputs = workspace / "outputs"
    outputs.touch()
    given = dict.fromkeys(step(name)["env"], "") | {"TFKIT": str(workspace / "tfkit"), "DIRECTORY": "infra"}
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GITHUB_")}
    environment = {**kept, **given, **inputs, "GITHUB_OUTPUT": str(outputs), "RUNNER_TEMP": str(workspace)}
    environment |= {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(workspace), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step(name)["run"]],
        cwd=workspace,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, done.stdout + done.stderr, outputs.read_text()


def test_what_is_formatted_passes(workspace: Path) -> None:
    code, said, outputs = run("tfkit validate", workspace, VALIDATORS="fmt")
    assert code == 0, said
    assert outputs == "exit-code=0\n"


def test_findings_are_annotations_and_the_exit_code_is_kept(workspace: Path) -> None:
    (workspace / "infra" / "main.tf").write_text('variable   "a" {}\n')
    code, said, outputs = run("tfkit validate", workspace, VALIDATORS="fmt", FAIL_ON="info")
    assert (code, outputs) == (6, "exit-code=6\n"), said
    assert re.search(r"^::\w+ file=infra/main\.tf,line=1", said, re.MULTILINE)


def test_sarif_goes_to_its_file(workspace: Path) -> None:
    (workspace / "infra" / "main.tf").write_text('variable   "a" {}\n')
    code, said, outputs = run(
        "tfkit validate", workspace, VALIDATORS="fmt", FAIL_ON="info", SARIF="out/a.sarif"
    )
    assert code == 6, said
    document = json.loads((workspace / "out" / "a.sarif").read_text())
    assert document["version"] == "2.1.0" and document["runs"][0]["results"]
    assert re.fullmatch(r"sarif<<(tfkit-\d+)\nout/a\.sarif\n\1\nexit-code=6\n", outputs)


@pytest.mark.parametrize("name", ["$(touch ran)", "`touch ran`", "a; touch ran", '"; touch ran; "', "--help"])
def test_an_input_is_never_run(workspace: Path, name: str) -> None:
    code, _, _ = run("tfkit validate", workspace, DIRECTORY=name, VALIDATORS=name, SARIF="x.sarif")
    assert code == 2
    assert not (workspace / "ran").exists()


def test_a_version_is_a_version_and_no_option_of_pip(workspace: Path) -> None:
    python = workspace / "bin" / "python"
    python.parent.mkdir()
    python.write_text(
        '#!/bin/sh\nmkdir -p "$4/bin"\nprintf \'#!/bin/sh\\necho "$@"\\n\' > "$4/bin/pip"\n'
        'chmod +x "$4/bin/pip"\n'
    )
    python.chmod(0o755)
    path = {"PATH": f"{python.parent}:{os.environ['PATH']}", "CHECKOUT": "/the/checkout"}
    assert "pip-version-check /the/checkout" in run("Install tfkit", workspace, **path)[1]
    code, said, outputs = run("Install tfkit", workspace, VERSION="0.1.0", **path)
    assert code == 0 and "tfkit-platform==0.1.0" in said
    assert outputs.endswith(f"tfkit={workspace}/tfkit-action/bin/tfkit\n")
    for wrong in ("0.1 --index-url=x", "0.1;touch ran", "@git"):
        assert run("Install tfkit", workspace, VERSION=wrong, **path)[0] == 2


def test_a_folder_without_its_statement_is_refused(workspace: Path) -> None:
    code, said, _ = run("tfkit verify", workspace, STATEMENT="infra/main.tf")
    assert code == 2 and "needs 'verify-key'" in said
    (workspace / "s.json").write_text("{}")
    key = "-----BEGIN PUBLIC KEY-----\nnone\n"
    code, said, _ = run("tfkit verify", workspace, STATEMENT="s.json", VERIFY_KEY=key)
    assert code == 2 and "holds no public key" in said


def test_a_key_of_the_checkout_proves_nothing(workspace: Path) -> None:
    (workspace / "tfkit.pem").write_text("-----BEGIN PUBLIC KEY-----\n")
    (workspace / "s.json").write_text("{}")
    code, said, _ = run("tfkit verify", workspace, STATEMENT="s.json", VERIFY_KEY="tfkit.pem")
    assert code == 2 and "is the key itself, and no file" in said


def test_what_the_public_key_has_signed_passes_and_nothing_else(workspace: Path) -> None:
    tree = Tree(files={"main.tf": (workspace / "infra" / "main.tf").read_bytes()})
    (workspace / "s.json").write_bytes(signed(tree))
    given = {"STATEMENT": "s.json", "VERIFY_KEY": to_pem(der(OURS)).decode()}
    code, said, _ = run("tfkit verify", workspace, **given)
    assert code == 0 and "is what run run-00000001 produced and signed" in said
    (workspace / "infra" / "more.tf").touch()
    assert run("tfkit verify", workspace, **given)[0] == 1


def test_no_module_of_the_checkout_is_imported(workspace: Path) -> None:
    for name in ("venv", "logging"):
        (workspace / f"{name}.py").write_text("open('ran', 'w')\nraise SystemExit(1)\n")
    python = workspace / "bin" / "python"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@" --without-pip\n')  # which takes seconds
    python.chmod(0o755)
    path = f"{python.parent}:{os.environ['PATH']}"
    code, said, _ = run("Install tfkit", workspace, PATH=path, VERSION="@")
    assert code == 2 and "is no version" in said
    assert (workspace / "tfkit-action" / "bin" / "python").exists()
    assert not (workspace / "ran").exists()
