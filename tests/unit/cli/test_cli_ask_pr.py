"""`ask --dir --pr` from the command line's side: a real clone, and a GitHub on loopback."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_fakes import ID, record, result
from git_world import Clone
from github_server import TOKEN, GitHubServer, served

from toolkit.contracts import Tree

BEFORE = {"main.tf": b"a\n", "other.tf": b"o\n"}
AFTER = {"main.tf": b"A\n", "other.tf": b"o\n", "new.tf": b"n\n"}


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    with served() as server:
        yield server
        assert server.wrong == []


@pytest.fixture
def clone(tmp_path, client, github, monkeypatch) -> Clone:
    made = Clone(tmp_path, BEFORE)
    for name, value in {**made.environment, "GH_TOKEN": TOKEN, "TFKIT_GITHUB_API": github.url}.items():
        monkeypatch.setenv(name, value)
    client.after = AFTER
    client.outcome = result(prompt="x", files=Tree(files=AFTER).entries, start=Tree(files=BEFORE).hash)
    client.statements[ID] = b'{"payload":"e30="}'
    return made


def test_json_says_where_it_is(tfkit, clone, github) -> None:
    before = clone.state()
    ended = tfkit("ask", "x", "--dir", "clone", "--pr", "--draft", "--label", "iac", "--json")
    assert ended.code == 0, ended.err
    pull = ended.document["pull_request"]
    assert pull == {
        "url": "https://github.com/acme/shop/pull/41",
        "number": 41,
        "branch": "tfkit/x-h1234567",
        "commit": clone.remote("rev-parse", "tfkit/x-h1234567"),
        "problems": [],
    }
    assert clone.state() == before
    assert '{"payload":"e30="}' in github.bodies("pulls/create")[0]["body"]
    assert "pull request: github.com/acme/shop, a new branch, for main" in ended.err
    assert TOKEN not in ended.out + ended.err


def test_people_see_the_diff_and_the_address(tfkit, clone) -> None:
    ended = tfkit("ask", "x", "--dir", "clone", "--pr")
    assert "+A\n" in ended.out
    assert "pull request: https://github.com/acme/shop/pull/41 (branch tfkit/x-h1234567" in ended.err
    assert "--write" not in ended.err


def test_a_run_that_is_not_ok_or_changed_nothing_opens_none(tfkit, clone, client, github) -> None:
    from msgspec.structs import replace

    good = client.outcome
    client.outcome = replace(good, status="not_converged", error="no")
    ended = tfkit("ask", "x", "--dir", "clone", "--pr", "--json")
    assert (ended.code, ended.document["pull_request"]) == (3, None)
    assert "no pull request: the run is not_converged" in ended.err
    client.outcome, client.after = good, BEFORE
    ended = tfkit("ask", "x", "--dir", "clone", "--pr")
    assert ended.code == 0 and "no pull request: the run changed nothing" in ended.err
    assert github.pulls == {} and clone.remote("for-each-ref", "--format=%(refname)") == "refs/heads/main"


def test_the_result_of_other_files_is_not_published(tfkit, clone, client, github) -> None:
    from msgspec.structs import replace

    client.outcome = replace(client.outcome, start="sha256:other")
    assert tfkit("ask", "x", "--dir", "clone", "--pr").code == 1
    assert github.pulls == {}


def test_labels_that_are_refused_are_exit_1_with_a_pull_request(tfkit, clone, github) -> None:
    github.refuse["issues/add-labels"] = (422, "label is locked")
    ended = tfkit("ask", "x", "--dir", "clone", "--pr", "--label", "iac", "--json")
    assert ended.code == 1
    assert ended.document["pull_request"]["number"] == 41
    assert "label is locked" in ended.document["pull_request"]["problems"][0]
    assert "error: the labels" in ended.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--pr",), "--pr needs --dir"),
        (("--dir", "clone", "--pr", "--write"), "--pr and --write cannot both be"),
        (("--dir", "clone", "--pr", "--detach"), "--pr and --detach cannot both be"),
        (("--dir", "clone", "--draft"), "add --pr"),
        (("--dir", "clone", "--label", "x"), "add --pr"),
        (("--dir", "clone", "--pr", "--remote", "nowhere"), "no remote 'nowhere'"),
        (("--dir", "clone", "--pr", "--base", "nowhere"), "no branch 'nowhere'"),
        (("--dir", "clone", "--pr", "--reviewer", "not a login"), "cannot review"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_asked(
    tfkit, clone, client, arguments, said
) -> None:
    ended = tfkit("ask", "x", *arguments)
    assert ended.code == 2 and said in ended.err
    assert client.submitted == []


def test_a_token_that_is_not_valid_costs_no_run(tfkit, clone, client, monkeypatch) -> None:
    monkeypatch.setenv("GH_TOKEN", "ghp_" + "z" * 36)
    ended = tfkit("ask", "x", "--dir", "clone", "--pr")
    assert ended.code == 1 and "answered 401: Bad credentials" in ended.err
    assert "zzzz" not in ended.err and client.submitted == []


def test_going_on_without_a_pull_request_is_refused_before_anything_is_asked(tfkit, clone, client) -> None:
    client.records[ID] = record(run_id=ID, status="ok")
    client.conversation = lambda _name: None  # nothing of it is remembered
    client.submitted.append("an earlier run")
    ended = tfkit("ask", "more", "--continue", ID, "--dir", "clone", "--pr")
    assert ended.code == 2 and "no pull request of the earlier runs is known" in ended.err
    assert f"--run-id {ID} --pr" in ended.err
    assert client.submitted == ["an earlier run"]


def test_a_full_disk_loses_no_address(tfkit, clone, github, monkeypatch) -> None:
    def full(*_arguments) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("toolkit.pulls.recorded.remember", full)
    ended = tfkit("ask", "x", "--dir", "clone", "--pr", "--json")
    assert ended.code == 1
    pull = ended.document["pull_request"]
    assert pull["number"] == 41 and "No space left" in pull["problems"][0]
    assert "pull request: https://github.com/acme/shop/pull/41" in ended.err


def test_a_name_that_is_no_text_does_not_break_the_document(tfkit, clone, client, github) -> None:
    Path(os.fsdecode(os.fsencode(clone.folder) + b"/caf\xe9.txt")).write_text("x")
    clone.git("add", "-A")
    clone.git("commit", "-q", "-m", "a name")
    clone.git("push", "-q", "origin", "main")
    ended = tfkit("ask", "--dir", "clone", "--dry-run", "--json")
    assert ended.document["stays"][-1]["path"] == "caf\ufffd.txt"
    ended = tfkit("ask", "x", "--dir", "clone", "--pr", "--json")
    assert ended.code == 0 and ended.document["pull_request"]["number"] == 41
    assert "not committed so" not in github.bodies("pulls/create")[0]["body"]
    ended = tfkit("ask", "x", "--dir", "clone", "--write", "--json")
    assert ended.code == 0 and ended.document["written"] == ["main.tf", "new.tf"]
