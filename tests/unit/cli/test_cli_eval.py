"""`tfkit eval` with an agent and a judge that answer from memory: what is printed, and the exit code."""

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from cli_fakes import FakeClient

from toolkit.contracts import Tool, Tree, Usage
from toolkit.errors import PlatformError
from toolkit.evaluate.task import Answer, Score, Task, Verdict

GOOD, BAD = Tree(files={"main.tf": b"good"}), Tree(files={"main.tf": b"bad"})
SET = """
tasks:
  - {id: a, difficulty: easy, prompt: a bucket, reference: {main.tf: good}}
  - {id: b, difficulty: easy, prompt: a queue, reference: {main.tf: good}}
  - {id: c, difficulty: hard, prompt: a cluster, reference: {main.tf: bad}}
"""


class Judge:
    tools = (Tool(name="terraform", version="1.11.4"),)

    def verdicts(self, task: Task, trees: Sequence[Tree]) -> list[Verdict]:
        return [
            Verdict(tree=tree.hash, plan="planned")
            if tree == GOOD
            else Verdict(tree=tree.hash, plan="refused", reason="it is \x1b[31mbad")
            for tree in trees
        ]

    def stop(self) -> None:
        pass


class Agent:
    """The first attempt is bad; the last is good, but for `c`, and `b` needs a platform that is there."""

    def __init__(self, client: Any, request: Any) -> None:
        self.request = request

    def answer(self, task: Task, run_id: str, on_step: Any) -> Answer:
        if task.id == "b" and Path("broken").exists():
            raise PlatformError("the bucket is gone")
        return Answer(
            run_id=run_id, status="ok", first=BAD, final=BAD if task.id == "c" else GOOD, attempts=2,
            model=self.request.model, seconds=1.5,
            usage=Usage(requests=1, input_tokens=1000, output_tokens=50),
        )  # fmt: skip


@pytest.fixture(autouse=True)
def world(client: FakeClient, tfkit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """`tfkit` has changed to a folder of its own, where the set is written."""
    Path("set.yaml").write_text(SET)
    monkeypatch.setattr("toolkit.cli.commands.eval._judge", lambda asked: Judge())
    monkeypatch.setattr("toolkit.evaluate.authors.DeployedAgent", Agent)


def test_the_document_is_the_report(tfkit: Any) -> None:
    ended = tfkit("--json", "eval", "set.yaml", "-o", "a.jsonl")
    assert ended.code == 0
    document = ended.document
    assert (document["evaluation"]["author"], document["evaluation"]["model"]) == (
        "agent",
        "offline-composer",
    )
    total = document["total"]
    assert [total[name] for name in ("tasks", "plans", "first", "final", "attempts")] == [3, 2, 0, 2, 6]
    assert [row["difficulty"] for row in document["by_difficulty"]] == ["easy", "hard"]
    assert (document["left"], document["journal"]) == (0, "a.jsonl")


def test_the_table_and_what_did_not_pass(tfkit: Any) -> None:
    ended = tfkit("eval", "set.yaml", "--html", "a.html")
    assert ended.code == 0
    lines = [" ".join(line.split()) for line in ended.out.splitlines()]
    assert "set · offline-composer (agent) · judged by terraform 1.11.4" in lines
    assert "difficulty tasks plans pass@1 pass@N attempts in/out cost took" in lines
    assert "easy 2 2 100% 0 0% 2 100% 4 2.0k/100 - 3.0s" in lines
    assert "all 3 2 67% 0 0% 2 67% 6 3.0k/150 - 4.5s" in lines
    assert "c no plan, refused: it is ␛[31mbad" in lines
    assert "\x1b" not in ended.out
    (journal,) = Path("tfkit-evals").glob("set-*.jsonl")
    assert f"journal: {journal}" in lines
    assert "it is" in Path("a.html").read_text()


@pytest.mark.parametrize(("width", "shown"), [(80, ["tasks", "in/out", "took"]), (40, ["pass@1", "pass@N"])])
def test_the_table_fits_the_terminal(tfkit: Any, width: int, shown: list[str]) -> None:
    from rich.console import Console

    from toolkit.cli.render_eval import render_report
    from toolkit.evaluate.report import read_report

    tfkit("eval", "set.yaml", "-o", "a.jsonl")
    found = read_report(Path("a.jsonl"))
    total = msgspec.structs.replace(found.total, input_tokens=1_234_567, tasks=458, plans=400, final=399)
    console = Console(width=width, record=True, soft_wrap=True)
    render_report(console, msgspec.structs.replace(found, total=total))
    table = [line for line in console.export_text().splitlines() if line.startswith(("difficulty", "all"))]
    assert all(len(line.rstrip()) <= width for line in table), table
    assert "…" not in "".join(table)
    assert all(name in table[0] for name in shown), table


def test_the_same_file_goes_on_and_what_could_not_be_done_is_exit_1(tfkit: Any) -> None:
    Path("broken").touch()
    ended = tfkit("eval", "set.yaml", "-o", "a.jsonl")
    assert ended.code == 1
    assert "b not done: the bucket is gone" in " ".join(ended.out.split())
    assert "1 tasks are not done" in ended.out
    Path("broken").unlink()
    ended = tfkit("eval", "set.yaml", "-o", "a.jsonl")
    assert (ended.code, "2 of 3 tasks are done already" in ended.err) == (0, True)
    assert tfkit("eval", "set.yaml", "-o", "a.jsonl", "-m", "haiku").code == 2


def test_the_oracle_asks_no_platform(tfkit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolkit.deploy.platform.Platform", None)
    ended = tfkit("--json", "eval", "set.yaml", "--oracle")
    assert ended.code == 0
    assert (ended.document["total"]["final"], ended.document["evaluation"]["model"]) == (2, "")
    shown = tfkit("eval", "set.yaml", "--oracle")
    assert "the reference answers" in shown.out
    assert "pass@1" not in shown.out


def test_the_oracle_leaves_out_what_has_no_reference(tfkit: Any) -> None:
    Path("set.yaml").write_text(SET.replace("a queue, reference: {main.tf: good}", "a queue"))
    ended = tfkit("--json", "eval", "set.yaml", "--oracle")
    assert (ended.code, ended.document["total"]["tasks"], ended.document["left"]) == (0, 2, 0)
    assert "no reference answer: 1" in ended.err
    assert tfkit("eval", "set.yaml", "--oracle", "--only", "b").code == 2


@pytest.mark.parametrize(("percent", "code"), [("66", 0), ("67", 1)])
def test_fail_under(tfkit: Any, percent: str, code: int) -> None:
    assert tfkit("eval", "set.yaml", "--fail-under", percent).code == code


def test_a_part_of_the_set(tfkit: Any) -> None:
    assert tfkit("--json", "eval", "set.yaml", "--only", "a,c").document["total"]["tasks"] == 2
    assert tfkit("--json", "eval", "set.yaml", "--limit", "1").document["total"]["tasks"] == 1
    assert tfkit("eval", "set.yaml", "--only", "x").code == 2


def test_two_evaluations_are_compared(tfkit: Any) -> None:
    tfkit("eval", "set.yaml", "-o", "a.jsonl")
    document = tfkit("--json", "eval", "set.yaml", "--oracle").document
    document["tasks"][0]["final"]["plan"] = "refused"
    Path("b.json").write_text(json.dumps(document))
    ended = tfkit("eval", "--compare", "a.jsonl", "b.json")
    assert ended.code == 0
    assert "of 3 tasks in both: 0 gained, 1 lost, 2 same" in ended.out
    assert "- a  no plan, refused" in ended.out
    found = tfkit("--json", "eval", "--compare", "a.jsonl", "b.json").document
    assert [(flip["task"], flip["flip"]) for flip in found["flips"]] == [("a", "lost")]


def test_a_second_opinion_is_beside_the_verdict(tfkit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("rubric.md").write_text("Is it small?")

    class Rubric:
        def __init__(self, text: str, name: str, model: Any) -> None:
            assert (text, name) == ("Is it small?", "haiku")

        def score(self, task: Task, tree: Tree) -> Score:
            return Score(model="haiku", score=4.0, reason="long")

    monkeypatch.setattr("toolkit.evaluate.rubric.Rubric", Rubric)
    monkeypatch.setattr("toolkit.agent.models.build", lambda *args, **kwargs: None)
    monkeypatch.setattr("cli_fakes.FakePlatform.cloud", SimpleNamespace(client=lambda name: None))
    ended = tfkit("--json", "eval", "set.yaml", "--rubric", "rubric.md", "--judge-model", "haiku")
    assert ended.code == 0
    assert (ended.document["total"]["score"], ended.document["total"]["final"]) == (4.0, 2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "say which dataset"),
        (["set.yaml", "--oracle", "--local-agent"], "asks no agent"),
        (["set.yaml", "--rubric", "set.yaml"], "go together"),
        (["set.yaml", "--compare", "set.yaml", "set.yaml"], "runs nothing"),
        (["none.yaml"], "cannot be read"),
        (["set.yaml", "-m", "nobody"], "unknown model"),
    ],
)
def test_wrong_usage(tfkit: Any, arguments: list[str], said: str) -> None:
    ended = tfkit("eval", *arguments)
    assert (ended.code, said in ended.err) == (2, True), ended.err
