"""Every command of README.md and of the pages on its platform, run in order, as a newcomer would type it.

The other pages are in `test_e2e_docs_alone.py`. What cannot be run by a test is in `docs_pages.NOT_RUN`, with
the reason, and must at least parse.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from docs_pages import NOT_RUN, PAGES, README, SHARED, clean, go_through, prepared
from docs_runner import ROOT, Page, Session, alike, unlike

from toolkit.cli.root import cli
from toolkit.settings import load


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """The home of the README, after the page but for what waits for the pages on its platform."""
    session = Session(tmp_path_factory.mktemp("readme"))
    try:
        go_through(README.name, README.steps, session, {})
        yield session
    finally:
        clean(session)


@pytest.mark.thorough
@pytest.mark.parametrize("page", SHARED, ids=lambda page: page.name)
def test_a_page_on_the_platform_of_the_readme(
    page: Page, started: Session, request: pytest.FixtureRequest
) -> None:
    shared = Session(started.home, started.home / Path(page.name).stem, started.environment)
    shared.named |= started.named
    go_through(page.name, page.steps, shared, prepared(page, shared, request))


def test_the_readme_ends_when_the_pages_on_its_platform_have_been(started: Session) -> None:
    assert README.name == "README.md" and README.later
    go_through(README.name, README.later, started, {})


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
