"""`ask --dir` and `--attach`, from the command line's side."""

from pathlib import Path

import pytest
from cli_fakes import ID, result

from toolkit.contracts import Tree

BEFORE = {"main.tf": b"a\n", "other.tf": b"o\n"}
AFTER = {"main.tf": b"A\n", "other.tf": b"o\n", "new.tf": b"n [bold]x[/]\n"}


@pytest.fixture
def folder(tmp_path: Path, client) -> Path:
    root = tmp_path / "infra"
    root.mkdir()
    for path, content in BEFORE.items():
        (root / path).write_bytes(content)
    (root / ".env").write_text("TOKEN=x")
    client.after = AFTER
    client.outcome = result(files=Tree(files=AFTER).entries, start=Tree(files=BEFORE).hash)
    return root


def held(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.tf")}


def test_the_dry_run_needs_no_platform_and_lists_what_goes_and_what_stays(tfkit, folder, client):
    ended = tfkit("ask", "--dir", "infra", "--dry-run", "--json")
    assert ended.code == 0
    assert [entry["path"] for entry in ended.document["goes"]] == ["main.tf", "other.tf"]
    assert ended.document["stays"] == [{"path": ".env", "reason": "files named .env hold secrets"}]
    assert ended.document["start"] == Tree(files=BEFORE).hash
    shown = tfkit("ask", "--dir", "infra", "--dry-run").out
    assert "would go: 2 files, 4 bytes" in shown and "  .env  files named .env hold secrets" in shown
    assert client.submitted == []


def test_the_tree_goes_up_and_the_diff_comes_back_and_nothing_is_written(tfkit, folder, client):
    ended = tfkit("ask", "x", "--dir", "infra")
    assert ended.code == 0
    assert client.submitted[0].start == Tree(files=BEFORE).hash
    assert client.given[0][0] == Tree(files=BEFORE)
    assert "changed: main.tf (changed), new.tf (new)\n--- a/main.tf\n+++ b/main.tf\n" in ended.out
    assert "-a\n+A\n" in ended.out and "+n [bold]x[/]\n" in ended.out
    assert "\x1b" not in ended.out  # a pipe
    assert "2 files go, 1 stay home" in ended.err
    assert f"the same command with --run-id {ID} --write" in ended.err
    assert held(folder) == BEFORE
    assert client.written == []


def test_the_diff_is_coloured_for_a_terminal_that_wants_colours(monkeypatch):
    from io import StringIO

    from rich.console import Console

    from toolkit.cli.render_run import render_diff

    def drawn() -> str:
        out = StringIO()
        render_diff(
            Console(file=out, force_terminal=True, color_system="standard", markup=False), "-a\n+\x1b[2Jb\n"
        )
        return out.getvalue()

    monkeypatch.delenv("NO_COLOR", raising=False)
    assert drawn() == "\x1b[31m-a\x1b[0m\n\x1b[32m+␛[2Jb\x1b[0m\n"
    monkeypatch.setenv("NO_COLOR", "1")
    assert drawn() == "-a\n+␛[2Jb\n"


def test_extract_prints_the_diff_alone(tfkit, folder):
    out = tfkit("ask", "x", "--dir", "infra", "-x").out
    assert out.startswith("--- a/main.tf\n") and out.endswith("+n [bold]x[/]\n")


def test_write_makes_the_changes_and_says_so(tfkit, folder):
    ended = tfkit("ask", "x", "--dir", "infra", "--write", "--json")
    assert ended.code == 0
    assert ended.document["written"] == ["main.tf", "new.tf"]
    assert [stay["path"] for stay in ended.document["stays"]] == [".env"]
    assert held(folder) == AFTER


def test_write_is_refused_where_the_files_changed_meanwhile(tfkit, folder, client, monkeypatch):
    follow = client.follow

    def meanwhile(*arguments, **options):
        (folder / "other.tf").write_bytes(b"edited\n")
        follow(*arguments, **options)

    monkeypatch.setattr(client, "follow", meanwhile)
    ended = tfkit("ask", "x", "--dir", "infra", "--write")
    assert ended.code == 1
    assert "nothing was written" in ended.err and "other.tf (changed)" in ended.err
    assert held(folder) == {**BEFORE, "other.tf": b"edited\n"}


def test_what_is_not_ok_or_began_with_other_files_is_never_written(tfkit, folder, client):
    from msgspec.structs import replace

    good = client.outcome
    client.outcome = replace(good, status="not_converged", error="no")
    ended = tfkit("ask", "x", "--dir", "infra", "--write")
    assert ended.code == 3 and "nothing was written" in ended.err
    client.outcome = replace(good, start="sha256:other")
    assert tfkit("ask", "x", "--dir", "infra", "--write").code == 1
    assert held(folder) == BEFORE


def test_a_file_that_stayed_home_is_not_written_over(tfkit, folder, client):
    (folder / "new.tf").write_text('x = "AKIAQWERTYUIOPASDFGH"\n')
    ended = tfkit("ask", "x", "--dir", "infra", "--write")
    assert ended.code == 1
    assert "without new.tf: it looks as if it held a secret" in ended.err
    assert "new.tf is not as it was" in ended.err
    assert (folder / "main.tf").read_bytes() == b"a\n"


def test_a_whole_tree_goes_elsewhere_with_output(tfkit, folder, client):
    tfkit("ask", "x", "--dir", "infra", "-o", "out")
    assert [str(path) for path in client.written] == ["out"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("x", "--write"),
        ("--dry-run",),
        ("x", "--dir", "infra", "--write", "--detach"),
        ("x", "--dir", "empty"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_asked(tfkit, folder, client, tmp_path, arguments):
    (tmp_path / "empty").mkdir()
    assert tfkit("ask", *arguments).code == 2
    assert client.submitted == []


def test_a_text_is_attached_and_an_image_is_refused_for_a_model_that_takes_none(tfkit, client, tmp_path):
    (tmp_path / "notes.txt").write_text("notes")
    (tmp_path / "sketch.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "key.txt").write_text("AKIAQWERTYUIOPASDFGH")
    assert tfkit("ask", "x", "--attach", "notes.txt", "-x").code == 0
    attached = Tree(files={"notes.txt": b"notes"})
    assert (client.submitted[0].attached, client.given[0][1]) == (attached.hash, attached)
    refused = tfkit("ask", "x", "--attach", "sketch.png")
    assert refused.code == 2 and "cannot go to offline-composer: it is an image" in refused.err
    assert "aws-access-key-id" in tfkit("ask", "x", "--attach", "key.txt").err
    assert len(client.submitted) == 1
