"""Tab: what is offered, what `completion install` writes, and that it leaves alone what is not tfkit's."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from test_cli_help import every_command

from toolkit.cli import completing
from toolkit.cli.commands import completion
from toolkit.cli.completing import MODEL, RUN, STACK, Known, place
from toolkit.cli.shells import BEGIN, END, MARK, SHELLS, script
from toolkit.settings import load
from toolkit.traces.index import Index

RUNS = ("0newest000000001", "0older0000000001")


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """A person's home, with nothing in it."""
    folder = tmp_path / "person"
    folder.mkdir()
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "ZDOTDIR", "BASH_COMPLETION_USER_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("SHELL", "/usr/bin/zsh")
    return folder


@pytest.fixture
def known(tmp_path) -> Path:
    """TFKIT_HOME of somebody who has two runs, three models and two stacks."""
    folder = tmp_path / "tfkit-home"
    stack = folder / "local" / "dev"
    stack.mkdir(parents=True)
    (folder / "local" / "other").mkdir()
    (folder / "aws" / "123456789012" / "prod").mkdir(parents=True)
    rows = [(run_id, 100 - number) for number, run_id in enumerate(RUNS)]
    with Index(stack / "traces.sqlite", "here").open() as index:
        index.executemany("INSERT INTO run (run_id, start_ns) VALUES (?, ?)", rows)
    models = {"haiku": {}, "mistral-large": {}, "mistral-small": {}}
    (stack / "config.json").write_text(json.dumps({"registry": {"models": models}}))
    return folder


def offered(tmp_path: Path, *words: str) -> list[str]:
    """What bash is told for a line whose last word is being typed."""
    environment = {
        **os.environ,
        "_TFKIT_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(["tfkit", *words]),
        "COMP_CWORD": str(len(words)),
    }
    done = subprocess.run(
        [sys.executable, "-m", "toolkit"],
        env=environment, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return [line.removeprefix("plain,") for line in done.stdout.splitlines() if line]


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (["sta"], ["status", "stats", "state"]),
        (["runs", ""], ["cancel", "files", "list", "show"]),
        (["graph", "--le"], ["--level"]),
        (["graph", "--format", ""], ["mermaid", "dot"]),
        (["runs", "show", ""], [*RUNS, "0fetched00000001"]),
        (["traces", "--run", "0o"], ["0older0000000001"]),
        (["--stack", "other", "traces", "--run", ""], ["0fetched00000001"]),
        (["ask", "-m", "mis"], ["mistral-large", "mistral-small"]),
        (["models", "default", ""], ["haiku", "mistral-large", "mistral-small"]),
        (["ask", "--run-id", ""], []),
        (["--stack", ""], ["dev", "other"]),
        (["--target", "aws", "--stack", ""], ["prod"]),
        (["ask", "-o", ""], ["file,"]),
        (["--version", "sto"], ["stop"]),
    ],
)
def test_what_is_offered(tmp_path, known, words, values):
    (tmp_path / "tfkit-runs" / "0fetched00000001").mkdir(parents=True)
    assert offered(tmp_path, *words) == values


@pytest.mark.parametrize("words", [["runs", "show", ""], ["ask", "-m", ""], ["--stack", ""]])
def test_what_cannot_be_read_offers_nothing(tmp_path, words):
    assert offered(tmp_path, *words) == []
    stack = tmp_path / "tfkit-home" / "local" / "dev"
    stack.mkdir(parents=True)
    (stack / "traces.sqlite").write_text("no database")
    (stack / "config.json").write_text("{")
    (tmp_path / "tfkit.toml").write_text("no = [toml")
    assert offered(tmp_path, *words) == []


def test_a_tab_loads_nothing_heavy(tmp_path, known):
    heavy = ("msgspec", "boto3", "rich", "pulumi", "pydantic", "toolkit.settings", "toolkit.contracts")
    program = (
        "import atexit, sys, toolkit.__main__ as m;"
        f"atexit.register(lambda: print('loaded:', *[n for n in {heavy!r} if n in sys.modules]));"
        "m.main()"
    )
    for words in ("tfkit runs show ", "tfkit ask -m ", "tfkit "):
        line = {"_TFKIT_COMPLETE": "zsh_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, **line}, cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert len(done.stdout.splitlines()) > 3, done.stderr
        assert done.stdout.splitlines()[-1] == "loaded:"


def test_which_parameters_offer_what():
    found: dict[Known, set[str]] = {RUN: set(), MODEL: set(), STACK: set()}
    for command in every_command():
        for parameter in command.params:
            if isinstance(parameter.type, Known):
                found[parameter.type].add(f"{command.name} {parameter.opts[-1]}")
    assert found[RUN] >= {
        "show run_id", "files run_id", "cancel run_id", "traces --run", "logs --run", "ask --continue"
    }  # fmt: skip
    assert found[MODEL] >= {
        "ask --model", "traces --model", "default name", "remove name", "check names", "add --fallback"
    }  # fmt: skip
    assert not {"ask --run-id", "add name", "install name"} & (found[RUN] | found[MODEL])
    assert {line.split()[1] for line in found[STACK]} == {"--stack"}
    assert len(found[STACK]) == len({command.name for command in every_command()})


@pytest.mark.parametrize("file", ["", 'home = "/toml"\nstack = "filed"\ntarget = "aws"\n'])
@pytest.mark.parametrize("environment", [{}, {"TFKIT_HOME": "~/x", "TFKIT_STACK": "said"}])
@pytest.mark.parametrize("flags", [{}, {"target": "aws", "stack": "flag"}])
def test_the_place_is_where_the_settings_find_it(tmp_path, monkeypatch, file, environment, flags):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    Path("tfkit.toml").write_text(file)
    settings = load(flags, environment, tmp_path)
    here = place(flags, environment, tmp_path)
    assert (here.home, here.target, here.stack) == (settings.folder, settings.target, settings.stack)
    if settings.target == "local":
        assert here.folders == [settings.stack_folder]


def test_many_runs_are_the_newest(known):
    with sqlite3.connect(known / "local" / "dev" / "traces.sqlite") as index:
        more = [(f"more{n:012}", n - 1000) for n in range(200)]
        index.executemany("INSERT INTO run (run_id, start_ns) VALUES (?, ?)", more)
    found = list(completing.runs(place({}, os.environ, known)))
    assert found[:3] == [*RUNS, "more000000000199"]
    assert len(found) == completing.NEWEST


# -- installing ------------------------------------------------------------------------------------


def files_below(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}


WRITTEN = {
    "bash": [".local/share/bash-completion/completions/tfkit"],
    "zsh": [".local/share/zsh/site-functions/_tfkit", ".zshrc"],
    "fish": [".config/fish/completions/tfkit.fish"],
}


@pytest.mark.parametrize("shell", SHELLS)
def test_install_twice_and_uninstall(tfkit, home, shell):
    planned = tfkit("completion", "install", "--shell", shell, "--dry-run", "--json").document
    assert files_below(home) == {}
    first = tfkit("completion", "install", "--shell", shell, "--json").document
    assert [each["path"] for each in first["files"]] == [str(home / path) for path in WRITTEN[shell]]
    assert planned == {**first, "dry_run": True}
    made = files_below(home)
    assert set(made) == set(WRITTEN[shell])
    again = tfkit("completion", "install", "--shell", shell, "--json").document
    assert {each["action"] for each in again["files"]} == {"same"}
    assert files_below(home) == made
    assert "would be removed" in tfkit("completion", "uninstall", "--dry-run").out
    assert files_below(home) == made
    tfkit("completion", "uninstall", "--shell", shell)
    assert files_below(home) == ({".zshrc": ""} if shell == "zsh" else {})
    assert "nothing of tfkit's is there" in tfkit("completion", "uninstall").out


def test_the_shell_is_the_one_of_the_person(tfkit, home, monkeypatch):
    assert f"next: open a new shell, or now: source {home / '.zshrc'}" in tfkit("completion", "install").out
    assert set(files_below(home)) == set(WRITTEN["zsh"])
    assert tfkit("completion").out == script("zsh")
    for shell in ("/bin/tcsh", ""):
        monkeypatch.setenv("SHELL", shell)
        ended = tfkit("completion", "install")
        assert (ended.code, "--shell bash" in ended.err) == (2, True)


def test_places_of_ones_own_are_heeded(tfkit, home, monkeypatch, tmp_path):
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "ZDOTDIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("BASH_COMPLETION_USER_DIR", f"{tmp_path / 'mine'}:/elsewhere")
    for shell in SHELLS:
        assert tfkit("completion", "install", "--shell", shell).code == 0
    assert (tmp_path / "mine/completions/tfkit").exists()
    assert (tmp_path / "XDG_DATA_HOME/zsh/site-functions/_tfkit").exists()
    assert (tmp_path / "ZDOTDIR/.zshrc").exists()
    assert (tmp_path / "XDG_CONFIG_HOME/fish/completions/tfkit.fish").exists()
    assert files_below(home) == {}


@pytest.mark.parametrize("shell", SHELLS)
def test_what_somebody_else_wrote_is_never_touched(tfkit, home, shell):
    place = home / WRITTEN[shell][0]
    place.parent.mkdir(parents=True)
    place.write_text("# mine\n")
    ended = tfkit("completion", "install", "--shell", shell)
    assert (ended.code, "tfkit did not write it" in ended.err) == (2, True)
    tfkit("completion", "uninstall")
    assert files_below(home) == {WRITTEN[shell][0]: "# mine\n"}


def test_the_rest_of_zshrc_stays_byte_for_byte(tfkit, home):
    real = home / "dotfiles" / "zshrc"
    real.parent.mkdir()
    before = b"# caf\xe9\r\nalias a=b\n"
    real.write_bytes(before)
    real.chmod(0o600)
    (home / ".zshrc").symlink_to(real)
    tfkit("completion", "install")
    text = real.read_bytes()
    assert text.startswith(before + BEGIN.encode())
    assert (home / ".zshrc").is_symlink()
    assert real.stat().st_mode & 0o777 == 0o600
    real.write_bytes(text + b"after\n")  # and the block of an older version is brought up to date
    old = real.read_bytes().replace(b"compinit", b"oldinit")
    real.write_bytes(old)
    assert "changed" in tfkit("completion", "install").out
    assert real.read_bytes() == text + b"after\n"
    tfkit("completion", "uninstall")
    assert real.read_bytes() == before + b"after\n"


@pytest.mark.parametrize("broken", [f"{BEGIN}\nx\n", f"{BEGIN}\n{END}\n{BEGIN}\n{END}\n"])
def test_a_block_that_is_not_whole_is_left_to_its_owner(tfkit, home, broken):
    (home / ".zshrc").write_text(broken)
    ended = tfkit("completion", "install")
    assert (ended.code, "by hand" in ended.err) == (2, True)
    assert files_below(home) == {".zshrc": broken}


def test_the_script_is_clicks_and_says_whose_it_is(tfkit, home):
    assert completion.SHELLS == SHELLS
    for shell in SHELLS:
        tfkit("completion", "install", "--shell", shell)
        text = (home / WRITTEN[shell][0]).read_text()
        lines = text.splitlines()
        assert MARK in lines[:2]
        assert lines[0].startswith("#compdef") == (shell == "zsh")
        assert text.replace(f"{MARK}\n", "") == tfkit("completion", shell).out == script(shell)
        assert tfkit("completion", shell, "--json").document == {"shell": shell, "script": script(shell)}


@pytest.mark.parametrize("shell", SHELLS)
def test_a_real_shell_takes_what_was_written(tfkit, home, known, tmp_path, shell):
    if not shutil.which(shell):
        pytest.skip(f"no {shell} on PATH")
    tfkit("completion", "install", "--shell", shell)
    file = home / WRITTEN[shell][-1]
    ask = {
        "bash": f"source {file}; COMP_WORDS=(tfkit runs show ''); COMP_CWORD=3;"
        ' _tfkit_completion tfkit; printf "%s\\n" "${COMPREPLY[@]}"',
        "zsh": f'source {file}; whence -w _tfkit_completion; print -r -- "$_comps[tfkit]"',
        "fish": f"source {file}; complete -C 'tfkit runs show '",
    }
    wanted = {"bash": [*RUNS], "zsh": ["_tfkit_completion: function", "_tfkit_completion"], "fish": [*RUNS]}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    flags = {"bash": ["--norc", "--noprofile"], "zsh": ["-f"], "fish": ["--no-config"]}[shell]
    done = subprocess.run(
        [shell, *flags, "-c", ask[shell]],
        env={**os.environ, "PATH": path}, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.split("\n")[:-1] == wanted[shell], done.stderr
