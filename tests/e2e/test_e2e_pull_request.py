"""`ask --dir --pr` on a platform that is up: a branch, a commit, a pull request, and a folder as it was."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from driver import Tfkit
from git_world import Clone
from github_server import TOKEN, GitHubServer, served

from toolkit.contracts import StackOutputs

SHOP = Path(__file__).parent / "shop"
PROMPT = "add an SQS queue for refunds with a dead-letter queue"
ASK = ("ask", PROMPT, "--dir", "clone/infra", "--run-id", "shop-refunds-1", "--pr")
ASK += ("--draft", "--label", "iac", "--reviewer", "bob")


@pytest.fixture(scope="module")
def github() -> Iterator[GitHubServer]:
    with served() as server:
        yield server


@pytest.fixture(scope="module")
def clone(tfkit: Tfkit, github: GitHubServer) -> Clone:
    """The shop of twenty files in a clone, with changes that its user has not committed."""
    files = {
        f"infra/{p.relative_to(SHOP).as_posix()}": p.read_bytes() for p in SHOP.rglob("*") if p.is_file()
    }
    assert len(files) == 20
    made = Clone(tfkit.home, {**files, "README.md": b"# shop\n", "infra/.gitignore": b"*.log\n"})
    made.write({"README.md": b"# stashed\n"})
    made.git("stash", "-q")
    made.write({"README.md": b"# staged\n"})
    made.git("add", "README.md")
    made.write({
        "README.md": b"# unstaged\n",
        "infra/logs.tf": files["infra/logs.tf"] + b"# mine, not committed\n",
        "infra/note.md": b"untracked\n",
        "infra/debug.log": b"ignored\n",
    })  # fmt: skip
    tfkit.environment |= {**made.environment, "GH_TOKEN": TOKEN, "TFKIT_GITHUB_API": github.url}
    return made


@pytest.fixture(scope="module")
def asked(tfkit: Tfkit, outputs: StackOutputs, clone: Clone) -> dict[str, Any]:
    before = clone.state(), clone.git("stash", "list"), clone.git("for-each-ref", "refs/heads")
    result = tfkit.json(*ASK)
    assert (clone.state(), clone.git("stash", "list"), clone.git("for-each-ref", "refs/heads")) == before
    return result


def test_a_branch_a_commit_and_a_pull_request_exist(
    asked: dict[str, Any], clone: Clone, github: GitHubServer
) -> None:
    assert (asked["status"], github.wrong) == ("ok", [])
    pull = asked["pull_request"]
    assert pull == {
        "url": "https://github.com/acme/shop/pull/41",
        "number": 41,
        "branch": "tfkit/add-an-sqs-queue-for-refunds-with-a-dead-shop-refunds-1",
        "commit": clone.remote("rev-parse", pull["branch"]),
        "problems": [],
    }
    assert clone.remote("rev-parse", f"{pull['branch']}^") == clone.git("rev-parse", "HEAD")
    changed = clone.remote("diff", "--name-only", "main", pull["branch"]).split()
    assert changed == ["infra/messaging.tf", "infra/outputs.tf"]
    (sent,) = github.bodies("pulls/create")
    assert (sent["base"], sent["draft"], sent["title"]) == ("main", True, PROMPT)
    assert github.bodies("issues/add-labels") == [{"labels": ["iac"]}]
    assert github.bodies("pulls/request-reviewers") == [{"reviewers": ["bob"]}]


def test_the_body_says_what_was_checked_and_carries_the_statement(
    tfkit: Tfkit, asked: dict[str, Any], clone: Clone, github: GitHubServer, tmp_path: Path
) -> None:
    text = github.bodies("pulls/create")[0]["body"]
    for check in asked["checks"]:
        assert f"| `{check['validator']}` | {check['status']} | `{check['tool']['name']} " in text
    for point in asked["not_proven"]:
        assert point[:60] in text
    assert "`logs.tf`, `note.md`" in text and "debug.log" not in text  # what was checked and is not committed
    found = re.search(r'```text\n(\{"payload.*?\})\n```', text, re.DOTALL)
    assert found
    (tmp_path / "statement.json").write_text(found[1])
    # The user's folder with the run's changes is what the statement is of: what stays home does not count.
    assert (
        tfkit("ask", PROMPT, "--dir", "clone/infra", "--run-id", asked["run_id"], "--write").returncode == 0
    )
    verdict = tfkit.json("verify", "clone/infra", "--statement", str(tmp_path / "statement.json"))
    assert verdict["ok"] and verdict["left_out"] == [".gitignore", "debug.log"]
    assert tfkit.json("verify", "clone/infra")["run_id"] == asked["run_id"]
    (clone.folder / "infra" / "x.auto.tfvars").write_text("a = 1\n")
    assert tfkit.json("verify", "clone/infra", code=1)["ok"] is False
    for path in ("infra/x.auto.tfvars", "infra/messaging.tf", "infra/outputs.tf"):
        (clone.folder / path).unlink()
    clone.git("checkout", "-q", "--", "infra/messaging.tf", "infra/outputs.tf")


def test_the_same_command_again_makes_nothing_twice(
    tfkit: Tfkit, asked: dict[str, Any], clone: Clone, github: GitHubServer
) -> None:
    assert tfkit.json(*ASK)["pull_request"] == asked["pull_request"]
    assert len(github.pulls) == 1 and github.wrong == []


def test_a_run_that_goes_on_adds_a_commit_to_the_same_pull_request(
    tfkit: Tfkit, asked: dict[str, Any], clone: Clone, github: GitHubServer
) -> None:
    first = asked["pull_request"]
    before = clone.state()
    prompt = ("ask", "add an SQS queue for parcels", "--continue", asked["run_id"], "--dir", "clone/infra")
    second = tfkit.json(*prompt, "--rehearse", "off", "--pr")
    assert clone.state() == before
    pull = second["pull_request"]
    assert (pull["number"], pull["branch"]) == (first["number"], first["branch"])
    assert clone.remote("rev-parse", f"{pull['branch']}^") == first["commit"]
    assert clone.remote("rev-parse", pull["branch"]) == pull["commit"]
    text = clone.remote("show", f"{pull['branch']}:infra/messaging.tf")
    assert "refunds" in text and "parcels" in text and "mine, not committed" not in text
    (comment,) = github.bodies("issues/create-comment")
    assert "parcels" in comment["body"] and ".gitignore" not in comment["body"]
    assert (len(github.pulls), github.wrong) == (1, [])


def test_lines_that_are_not_committed_are_not_published(
    tfkit: Tfkit, asked: dict[str, Any], clone: Clone, github: GitHubServer
) -> None:
    file = clone.folder / "infra" / "messaging.tf"
    file.write_bytes(file.read_bytes() + b"# mine, not committed\n")
    before = clone.state()
    prompt = ("ask", "add an SQS queue for parcels", "--dir", "clone/infra", "--rehearse", "off", "--pr")
    refused = tfkit.json(*prompt, code=1)
    assert refused["error"].startswith("not committed as the run saw them: messaging.tf")
    assert clone.state() == before
    assert len(github.pulls) == 1
    assert TOKEN not in json.dumps(refused)
