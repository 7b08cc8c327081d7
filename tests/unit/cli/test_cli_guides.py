"""What coding agents are told, AGENTS.md and the skill: every command can be read, every name exists."""

import re
import tomllib
from pathlib import Path

import pytest
from cli_lines import of_document, reader

from toolkit import errors
from toolkit.contracts import Attempt, FileEntry, Finding, RunResult, TraceSummary, Usage
from toolkit.deploy.checks.check import Check
from toolkit.deploy.graph import Edge, Node

ROOT = Path(__file__).parents[3]
AGENTS, SKILL = ROOT / "AGENTS.md", ROOT / "docs" / "skill" / "SKILL.md"
PLACEHOLDER = re.compile(r"\bCOMMAND\b")


def lines(page: Path) -> list[str]:
    return [line for line in of_document(page.read_text("utf-8")) if not PLACEHOLDER.search(line)]


@pytest.mark.parametrize(("page", "least"), [(AGENTS, 5), (SKILL, 40)], ids=["AGENTS.md", "SKILL.md"])
def test_every_command_can_be_read(monkeypatch, page, least):
    found = lines(page)
    assert len(found) >= least
    read = reader(monkeypatch)
    for line in found:
        read(line)


def test_the_skill_has_its_front_matter():
    text = SKILL.read_text("utf-8")
    head = re.match(r"---\nname: ([a-z0-9-]{1,64})\ndescription: (.+)\n---\n\n# ", text)
    assert head, "name and description, and nothing else"
    assert head[1] == "tfkit"
    assert 100 < len(head[2]) <= 1024
    assert ": " not in head[2], "a colon would end a plain scalar of YAML"


def test_the_skill_knows_every_exit_code():
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", SKILL.read_text("utf-8"), re.MULTILINE)}
    ours = {error.exit_code for error in vars(errors).values() if isinstance(error, type)}
    assert told == ours | {0}


def test_the_skill_names_keys_that_there_are():
    text = " ".join(SKILL.read_text("utf-8").split())
    shapes = [RunResult, FileEntry, Attempt, Usage, Finding, TraceSummary, Check, Node]
    known = {name for shape in shapes for name in shape.__struct_fields__} | {*Edge.__struct_encode_fields__}
    for told in re.findall(r"`ask`, `runs show`: `(.+?)`, and `(.+?)`", text)[0]:
        assert {*re.findall(r"[a-z_0-9]+", re.sub(r"\{name:[^}]*\}", "", told))} <= known, told
    for name in ("a finding", "`traces`"):
        keys = re.findall(re.escape(name) + r": (?:a list of )?`([a-z_, ]+)`", text)[0].split(", ")
        shape = Finding if name == "a finding" else TraceSummary
        assert set(keys) == set(shape.__struct_fields__) & set(keys), name
    assert "nodes[{id,type,name,component}], edges[{from,to}]" in text


def test_agents_are_told_of_tools_and_folders_that_there_are():
    text = AGENTS.read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    asked = set(re.findall(r"^    make ([a-z-]+)", text, re.MULTILINE))
    assert {"check", "docs"} <= asked <= targets
    dev = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]["dev"]
    tools = {re.split(r"[\[<>=~]", name)[0] for name in dev}
    assert {"ruff", "pyrefly", "pytest", "import-linter"} <= tools
    for path in re.findall(r"`((?:toolkit|stacks|tests|plugins|docs)/[\w./]*)`", text):
        assert (ROOT / path).exists(), path
    for path in re.findall(r"\]\(([\w./]+)\)", text):
        assert (ROOT / path).exists(), path
