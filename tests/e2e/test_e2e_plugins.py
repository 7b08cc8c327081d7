"""The example of docs/plugins.md, installed from a folder and run by the real command."""

import json
import subprocess
from pathlib import Path

import pytest
from plugin_example import BLOCK, PAGE, example, install, make_environment

TASK = """resource "aws_ecs_task_definition" "web" {
  family                = "web"
  container_definitions = jsonencode([{ name = "web", image = "nginx:latest" }])
}
"""


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    return make_environment(tmp_path / "environment")


def tfkit(python: Path, *arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    command = [str(python), "-m", "toolkit", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


def test_the_example_of_the_page_is_installed_and_runs(environment: Path, tmp_path: Path) -> None:
    (tmp_path / "acme-validators").mkdir()
    source = example(tmp_path / "acme-validators")
    install(environment, source)
    infra = tmp_path / "infra"
    infra.mkdir()
    (infra / "main.tf").write_text(TASK)

    listed = json.loads(tfkit(environment, "validators", "--json", cwd=tmp_path).stdout)["validators"]
    mine = next(one for one in listed if one["name"] == "pinned-images")
    assert (mine["distribution"], mine["version"], mine["selected"]) == ("acme-validators", "1.0", False)

    names = "fmt,pinned-images"
    ended = tfkit(environment, "validate", "infra", "--validators", names, "--json", cwd=tmp_path)
    assert ended.returncode == 6, ended.stderr
    document = json.loads(ended.stdout)
    assert [(c["validator"], c["status"]) for c in document["checks"]] == [
        ("fmt", "ok"),
        ("pinned-images", "findings"),
    ]
    (found,) = document["findings"]
    assert (found["rule"], found["file"], found["line"]) == ("latest", "main.tf", 3)
    assert "nginx:latest" in found["message"]

    (infra / "main.tf").write_text(TASK.replace(":latest", ":1.27"))
    (tmp_path / "tfkit.toml").write_text("[validators.pinned-images]\n")
    ended = tfkit(environment, "validate", "infra", "--json", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "pinned-images" in [c["validator"] for c in json.loads(ended.stdout)["checks"]]


def test_the_example_is_as_short_as_the_page_says() -> None:
    (code,) = (text for name, text in BLOCK.findall(PAGE.read_text("utf-8")) if name.endswith(".py"))
    assert len([line for line in code.splitlines() if line.strip()]) <= 30
