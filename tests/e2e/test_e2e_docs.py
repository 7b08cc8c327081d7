"""Every command of README.md and docs/, run in order, as a newcomer would type it.

What cannot be run by a test is in `NOT_RUN`, with the reason, and must at least parse.
"""

import json
import re
import shlex
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import click
import pytest
from docs_runner import ROOT, Page, Session, Step, alike, read, unlike
from git_world import Clone
from github_server import TOKEN, GitHubServer, served
from plugin_example import make_environment

from toolkit.cli.root import cli
from toolkit.local import control
from toolkit.settings import load

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


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """The home of the README, after the page but for what waits for the pages on its platform."""
    session = Session(tmp_path_factory.mktemp("readme"))
    try:
        go_through(README.name, README.steps, session, {})
        yield session
    finally:
        clean(session)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """A home of a page's own."""
    session = Session(tmp_path / "home")
    try:
        yield session
    finally:
        clean(session)


def clean(session: Session) -> None:
    """End what the page left running, whatever became of it."""
    for stack in (session.home / "tfkit" / "local").glob("*"):
        control.clean(stack)


@pytest.mark.parametrize("page", SHARED, ids=lambda page: page.name)
def test_a_page_on_the_platform_of_the_readme(
    page: Page, started: Session, request: pytest.FixtureRequest
) -> None:
    shared = Session(started.home, started.home / Path(page.name).stem, started.environment)
    shared.named |= started.named
    go_through(page.name, page.steps, shared, prepared(page, shared, request))


@pytest.mark.parametrize("page", ALONE, ids=lambda page: page.name)
def test_a_page_in_a_home_of_its_own(page: Page, session: Session, request: pytest.FixtureRequest) -> None:
    go_through(page.name, page.steps, session, prepared(page, session, request))


def test_the_readme_ends_when_the_pages_on_its_platform_have_been(started: Session) -> None:
    assert README.name == "README.md" and README.later
    go_through(README.name, README.later, started, {})


def prepared(page: Page, session: Session, request: pytest.FixtureRequest) -> dict[str, str]:
    """What the page's directives ask for; what is to be rewritten in its commands."""
    rewrite = {}
    if "with a model server" in page.directives:
        rewrite[MODEL_ADDRESS] = request.getfixturevalue("model")
    if "in a clone of the shop" in page.directives:
        github: GitHubServer = request.getfixturevalue("github")
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


@pytest.fixture(scope="module")
def model() -> Iterator[str]:
    """The address of a model's server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    with served() as server:
        yield server
        assert server.wrong == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_tfkit_command_parses_also_one_that_is_not_run(page: Page) -> None:
    for step in page.commands():
        for words in tfkit_calls(step.text):
            parses(f"{page.name}:{step.line}: {step.text}", words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_tfkit_command_in_a_sentence_parses(page: Page) -> None:
    for text in re.findall(r"`(tfkit [^`]+)`", (ROOT / page.name).read_text("utf-8")):
        for words in tfkit_calls(text):
            parses(f"{page.name}: {text}", words)


def tfkit_calls(command: str) -> Iterator[list[str]]:
    """The arguments of each `tfkit` in a line of a shell."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] | None = None
    for token in [*lexer, ";"]:
        if set(token) <= set("();<>|&"):
            if words is not None:
                yield words
            words = None
        elif words is not None:
            words.append(token)
        elif token == "tfkit":
            words = []


def parses(where: str, words: list[str]) -> None:
    """Fails the test where the command line does not know such a command or such an option."""
    try:
        parse(words)
    except click.UsageError as wrong:
        pytest.fail(f"{where}: {wrong.format_message()}", pytrace=False)


def parse(words: list[str]) -> None:
    """Walk down to the command, and have it read its options; nothing is run. Raises Click's errors."""
    ctx = click.Context(cli, info_name="tfkit", **cli.context_settings)
    while isinstance(ctx.command, click.Group):
        _, rest, _ = ctx.command.make_parser(ctx).parse_args(list(words))
        if not rest:
            return
        name, command, words = ctx.command.resolve_command(ctx, rest)
        assert command is not None
        ctx = click.Context(command, info_name=name, parent=ctx, **command.context_settings)
    ctx.command.make_parser(ctx).parse_args(list(words))


def test_the_table_of_what_is_not_run_has_nothing_that_no_page_says() -> None:
    commands = [step.text for page in PAGES for step in page.commands()]
    assert [pattern for pattern in NOT_RUN if not any(re.search(pattern, text) for text in commands)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Page) -> None:
    path = ROOT / page.name
    for target in re.findall(r"\]\(([^)#\s]+)", path.read_text("utf-8")):
        if not re.match(r"[a-z]+:", target):
            assert (path.parent / target).exists(), f"{page.name}: {target}"


def test_each_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "index.md").read_text("utf-8")
    names = {path.name for path in (ROOT / "docs").glob("*.md")} - {"index.md"}
    assert [name for name in sorted(names) if f"({name})" not in index] == []


def test_the_picture_of_the_architecture_is_what_graph_prints() -> None:
    """The file is held against the program by tests/unit/cli/test_cli_graph.py."""
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    (picture,) = re.findall(r"^```mermaid\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert picture.strip() == (ROOT / "docs" / "architecture.mmd").read_text("utf-8").strip()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_settings_that_a_page_shows_are_settings(page: Page, tmp_path: Path) -> None:
    """A toml fence without a file's name, or with that of tfkit.toml, is taken by tfkit."""
    text = (ROOT / page.name).read_text("utf-8")
    for block in re.findall(r"^```toml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        if "tfkit-policy" in block or "[project]" in block or "[forbidden]" in block:
            continue
        (tmp_path / "tfkit.toml").write_text(block)
        load({}, {"TFKIT_HOME": str(tmp_path)}, tmp_path)


PRINTED = """is up: 63 create · 5.8 s
ok · offline-composer · 10.3 s · run 1m8063dfwbw2gr5s
2026-11-21T23:12:24Z 0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f
"""


@pytest.mark.parametrize(
    ("shown", "missing"),
    [
        (["is up: 61 create · 61.0 s", "…", "ok · offline-composer · 9 s · run 1m800z3gh6enw3v3"], ""),
        (["is up: …"], ""),
        (["is up: 61 update · 61.0 s"], "is up: 61 update · 61.0 s"),
        (["ok · … · run 1m800z3gh6enw3v3", "is up: …"], "is up: …"),
        (["2025-01-01T00:00:00Z abababababababababababababababab"], ""),
        (["is up"], "is up"),
    ],
)
def test_what_is_shown_is_compared_by_its_words_and_its_order(shown: list[str], missing: str) -> None:
    assert unlike(shown, PRINTED) == missing


def test_numbers_are_alike_and_words_are_not() -> None:
    assert alike("8.1k/1.1k  $0.0000") == alike("9k/2k $1.5")
    assert alike("s3.tf") != alike("s4.tf")
