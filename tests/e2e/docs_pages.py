"""The pages, what of them cannot be run, and what it takes to go through one."""

import json
import re
import sys
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from docs_runner import ROOT, Page, Session, Step, read, unlike
from git_world import Clone
from github_server import TOKEN, GitHubServer
from plugin_example import make_environment

from toolkit.local import control

NOT_RUN = {
    r"--target aws|--profile ": "no AWS account",
    r"^make ": "CI runs `make test`, and `make demo` is this session",
    r"^(pip install (?!\./acme)|python3? -m venv|\. )": "the suite runs in an environment that has tfkit",
    r"^tfkit validators install": "downloads 80 to 290 MB; tests/unit/checker installs from folders",
    r"^duckdb ": "DuckDB's command is no dependency; tests/unit/traces opens the file with its library",
    r"^ollama ": "a server of somebody else's; one of the tests answers in its place",
    r"--follow": "ends with Ctrl-C only",
    r"^tfkit eval tasks": "a dataset of the reader's own; other commands of the page run one",
    r"mistral|MISTRAL": "no key of Mistral's; tests/e2e/test_e2e_models.py has a server in its place",
}
"""A command that one of these is found in is not run, and why."""

ON_ITS_PLATFORM = "on the platform of the README"
GENERATED = {"cli.md"}
FILES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES = [read(path) for path in FILES if path.name not in GENERATED]
SHARED = [page for page in PAGES if ON_ITS_PLATFORM in page.directives]
README, *ALONE = [page for page in PAGES if page not in SHARED]
MODEL_ADDRESS = "http://127.0.0.1:11434"


def why_not(command: str) -> str:
    """The reason not to run a command; empty for one that is run."""
    return next((why for pattern, why in NOT_RUN.items() if re.search(pattern, command)), "")


def go_through(page: str, steps: tuple[Step, ...], session: Session, rewrite: dict[str, str]) -> None:
    """Do the steps of a page; each must end and print as the page says."""
    for step in steps:
        if not step.file and why_not(step.text):
            continue
        text = step.text
        for old, new in rewrite.items():
            text = text.replace(old, new)
        done = session.do(step._replace(text=text))
        where = f"{page}:{step.line}: $ {text}"
        if done.code != step.code:
            pytest.fail(f"{where}\nexit {done.code}, not {step.code}\n{done.output}", pytrace=False)
        if missing := unlike(step.shown, done.output):
            pytest.fail(f"{where}\nshown and not printed: {missing}\n{done.output}", pytrace=False)


def clean(session: Session) -> None:
    """End what the page left running, whatever became of it."""
    for stack in (session.home / "tfkit" / "local").glob("*"):
        control.clean(stack)


def prepared(page: Page, session: Session, request: pytest.FixtureRequest) -> dict[str, str]:
    """What the page's directives ask for; what is to be rewritten in its commands."""
    rewrite = {}
    if "with a model server" in page.directives:
        rewrite[MODEL_ADDRESS] = request.getfixturevalue("docs_model")
    if "in a clone of the shop" in page.directives:
        github: GitHubServer = request.getfixturevalue("docs_github")
        clone = Clone(session.folder, shop())
        clone.git("push", "-q", "-u", "origin", "main")
        git = {name: value for name, value in clone.environment.items() if name.startswith("GIT_")}
        session.environment |= {**git, "GH_TOKEN": TOKEN, "TFKIT_GITHUB_API": github.url}
        session.folder = clone.folder
    if "in an environment of its own" in page.directives:
        session.environment["PATH"] = f"{environment(session.home)}:{session.environment['PATH']}"
    return rewrite


def shop() -> dict[str, bytes]:
    """The files of a repository as a page's reader may have one."""
    source = Path(__file__).parent / "shop"
    files = [path for path in source.rglob("*") if path.is_file()]
    placed = {f"infra/{path.relative_to(source).as_posix()}": path.read_bytes() for path in files}
    return {**placed, ".gitignore": b"*.tfstate\n"}


def environment(home: Path) -> Path:
    """The `bin` of an environment with `tfkit`, and a `pip install FOLDER` that does with what is here."""
    python = make_environment(home / "environment")
    pip = f"{sys.executable} -m uv pip install -q --offline --no-build-isolation --no-deps --python {python}"
    for name, command in {"tfkit": f'{python} -m toolkit "$@"', "pip": f'{pip} "$2"'}.items():
        (python.parent / name).write_text(f"#!/bin/sh\nexec {command}\n")
        (python.parent / name).chmod(0o755)
    return python.parent


MAIN = """terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}

resource "aws_sqs_queue" "orders" {
  name = "orders"
}
"""


class Model(BaseHTTPRequestHandler):
    """An OpenAI-compatible model that writes one file, and then says that it has."""

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.answer({"object": "list", "data": [{"id": "qwen2.5-coder", "object": "model"}]})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        wrote = any(message["role"] == "tool" for message in asked["messages"])
        write = {"name": "write_file", "arguments": json.dumps({"path": "main.tf", "content": MAIN})}
        calls = [{"id": "call-1", "type": "function", "function": write}]
        said = {"content": "One queue."} if wrote or not asked.get("tools") else {"tool_calls": calls}
        choice = {"message": {"role": "assistant", "content": None, **said}, "finish_reason": "stop"}
        self.answer({"choices": [choice], "usage": {"prompt_tokens": 5, "completion_tokens": 3}})

    def answer(self, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
