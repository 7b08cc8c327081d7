"""`replay` from the command line's side: which runs, what is printed, and the exit code."""

import re
from typing import get_args

import pytest
from cli_fakes import ID, LONG_ID, record, result
from msgspec.structs import replace
from test_cli_screens import screen  # noqa: F401 - a fixture

from toolkit.cli.commands.replay import ENDED, LIMIT
from toolkit.cli.render_replay import planned, render_comparison, render_planned
from toolkit.contracts import ENDED as STATUSES
from toolkit.contracts import AskRequest, Attempt, Finding, RunResult, RunStatus, Tree, Usage
from toolkit.errors import TfkitError
from toolkit.replay.compare import Comparison, summed
from toolkit.replay.recorded import NotReplayed, Recorded

KEYS = {
    "run_id", "replay", "model_before", "model", "status_before", "status", "attempts_before", "attempts",
    "findings_gone", "findings_new", "same_files", "cost_usd_before", "cost_usd", "seconds_before",
    "seconds", "outcome", "error",
}  # fmt: skip
TAGS = Finding(validator="policy", rule="tags", severity="medium", message="has no tag team")
CLOSED = [Attempt(n=1, tree="t", validators={"policy": "findings"}, findings=[TAGS])]


@pytest.fixture
def past(client, monkeypatch):
    """Three past runs; the second one's files are gone. Each replay of the first is not_converged."""
    ids = [ID[:-1] + letter for letter in "abc"]
    outcomes: dict[str, RunResult] = {run_id: result(run_id=run_id) for run_id in ids}
    client.records = {
        run_id: record(run_id=run_id, status="ok", started=f"2026-11-1{n}T10:00:00.000Z")
        for n, run_id in reversed(list(enumerate(ids)))  # as the client has them: newest first
    }
    requests = {
        run_id: AskRequest(run_id=run_id, prompt=f"prompt {run_id[-1]}", model="offline-composer")
        for run_id in ids
    }

    def given(request):
        if request.run_id == ids[1]:
            raise TfkitError("no longer in the bucket: the files that it started from")
        return Tree(), Tree()

    def outcome(run_id):
        if run_id in outcomes:
            return outcomes[run_id]
        asked = next((one for one in client.submitted if one.run_id == run_id), None)
        if asked is None:
            raise TfkitError(f"no run has the id {run_id}", "list them: tfkit runs")
        flips = asked.replays == ids[0]
        changes = (
            {"status": "not_converged", "attempts": CLOSED, "error": "they do not agree"} if flips else {}
        )
        return result(run_id=run_id, model=asked.model, **changes)

    monkeypatch.setattr(client, "request", lambda row: requests[row.run_id], raising=False)
    monkeypatch.setattr(client, "given_to", given, raising=False)
    monkeypatch.setattr(client, "result", outcome)
    return ids


def test_the_statuses_are_those_that_end_a_run():
    assert set(ENDED) == STATUSES < set(get_args(RunStatus))


def test_runs_by_id_are_compared_in_one_document(tfkit, client, past):
    ended = tfkit("--json", "replay", past[2], past[0], past[2])
    assert ended.code == 0
    document = ended.document
    assert [one["run_id"] for one in document["runs"]] == [past[2], past[0]], "each once, as asked for"
    assert all(one.keys() >= KEYS for one in document["runs"])
    same, worse = document["runs"]
    assert (same["outcome"], same["findings_new"], same["same_files"]) == ("same", [], True)
    assert (worse["outcome"], worse["status_before"], worse["status"]) == ("worse", "ok", "not_converged")
    assert (worse["findings_new"], worse["error"]) == (["policy/tags"], "they do not agree")
    assert (document["changed"], document["not_replayed"], document["interrupted"]) == (1, [], False)
    assert {request.replays for request in client.submitted} == {past[0], past[2]}


def test_what_could_not_be_replayed_is_named_and_is_a_failure(tfkit, past):
    ended = tfkit("replay", past[0], past[1], "nobody-knows-it")
    assert ended.code == 1
    assert "1 replayed by offline-composer, 1 with another outcome · 1 worse" in ended.out
    assert f"not replayed: {past[1]}: no longer in the bucket: the files that it started from" in ended.out
    assert "not replayed: nobody-knows-it: no run has the id nobody-knows-it" in ended.out


def test_the_newest_runs_since_are_taken_by_another_model(tfkit, client, past):
    ended = tfkit(
        "--json", "replay", "--since", "2026-11-10", "--until", "2026-11-20", "--limit", "1", "-m", "haiku"
    )
    assert [one["run_id"] for one in ended.document["runs"]] == [past[2]]
    assert [(request.replays, request.model) for request in client.submitted] == [(past[2], "haiku")]
    assert ended.document["runs"][0]["model_before"] == "offline-composer"
    assert "only the newest 1 are taken" in ended.err


def test_since_narrows_by_status(tfkit, client, past):
    client.records[past[2]] = replace(client.records[past[2]], status="error")
    ended = tfkit("--json", "replay", "--since", "2026-11-10", "--status", "error")
    assert [one["run_id"] for one in ended.document["runs"]] == [past[2]]
    assert tfkit("--json", "replay", "--since", "2026-11-10", "--status", "cancelled").document["runs"] == []


def test_the_dry_run_asks_nothing_and_finds_what_is_gone(tfkit, client, past):
    ended = tfkit("--json", "replay", *past, "--dry-run", "--model", "haiku")
    assert (ended.code, client.submitted) == (1, [])
    assert [(one["run_id"], one["model"]) for one in ended.document["runs"]] == [
        (past[0], "haiku"),
        (past[2], "haiku"),
    ]
    assert [one["run_id"] for one in ended.document["not_replayed"]] == [past[1]]
    shown = tfkit("replay", past[0], "--dry-run")
    assert shown.code == 0
    assert "would run 1 run again; what they cost then: -" in shown.out


def test_a_budget_that_runs_out_says_so(tfkit, client, past, monkeypatch):
    real = client.result
    dear = Usage(requests=1, cost_usd=2.0)
    monkeypatch.setattr(client, "result", lambda run_id: replace(real(run_id), usage=dear))
    ended = tfkit("--json", "replay", past[0], past[2], "--max-cost", "1.5", "--concurrency", "1")
    assert ended.code == 5
    assert [one["run_id"] for one in ended.document["runs"]] == [past[0]]
    assert ended.document["not_replayed"] == [{"run_id": past[2], "reason": "--max-cost was reached before"}]


def test_an_interruption_prints_what_there_is(tfkit, past, monkeypatch):
    def interrupted(_futures):
        raise KeyboardInterrupt

    monkeypatch.setattr("toolkit.replay.runner.wait", interrupted)
    monkeypatch.setattr("toolkit.replay.runner.Runner._cancel_all", lambda self: None)
    ended = tfkit("--json", "replay", past[0])
    assert ended.code == 130
    assert ended.document["interrupted"] is True


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "say which runs"),
        (("run-0001", "--since", "1d"), "say which runs"),
        (("run-0001", "--limit", "3"), "go with --since"),
        (("run-0001", "--model", "nobody"), "unknown model 'nobody'"),
        (("--since", "yesterday"), "no time that tfkit understands"),
        (("--since", "1d", "--until", "2d"), "--since is after --until"),
    ],
)
def test_what_makes_no_sense_is_refused(tfkit, client, past, arguments, said):
    ended = tfkit("replay", *arguments)
    assert ended.code == 2 and said in ended.err
    assert client.submitted == []


def test_no_more_than_so_many_are_taken_by_themselves(tfkit, client, past, monkeypatch):
    many = {f"run-{n:05}": record(run_id=f"run-{n:05}", status="ok") for n in range(LIMIT + 5)}
    client.records = many
    monkeypatch.setattr(client, "request", lambda row: AskRequest(run_id=row.run_id, prompt="p"))
    monkeypatch.setattr(client, "result", lambda run_id: result(run_id=run_id))
    ended = tfkit("--json", "replay", "--since", "2026-11-10", "--dry-run")
    assert len(ended.document["runs"]) == LIMIT


def comparison(hostile: str = "") -> Comparison:
    before = Recorded(
        request=AskRequest(run_id=LONG_ID, prompt=hostile),
        result=result(run_id=LONG_ID, prompt=hostile or "a bucket", model=hostile or "m"),
        note=hostile,
    )
    after = result(run_id=ID, status="not_converged", attempts=CLOSED, error=hostile or "no", prompt=hostile)
    return summed(
        [(before, after)], [NotReplayed(run_id="other", reason=hostile or "gone")], interrupted=True
    )


def text_of(out) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())


@pytest.mark.parametrize("width", [40, 80])
def test_a_narrow_screen_gets_lines_with_nothing_cut(screen, width):  # noqa: F811
    console, out = screen(width)
    render_comparison(console, comparison())
    lines = text_of(out).splitlines()
    assert LONG_ID in lines
    assert "  status: ok → not_converged" in lines
    assert "  findings: +policy/tags" in lines
    assert f"next: tfkit runs show {ID}" in lines


def test_a_wide_screen_gets_a_table(screen):  # noqa: F811
    console, out = screen(400)
    render_comparison(console, comparison())
    row = next(line for line in text_of(out).splitlines() if line.startswith(LONG_ID))
    assert "worse" in row and "ok → not_converged" in row and "+policy/tags" in row


def test_models_are_told_apart_where_there_are_several(screen):  # noqa: F811
    console, out = screen(80)
    before = Recorded(
        request=AskRequest(run_id=LONG_ID, prompt="p"), result=result(run_id=LONG_ID, model="m")
    )
    render_comparison(console, summed([(before, result(model="n"))], []))
    lines = text_of(out).splitlines()
    assert lines[0] == "1 replayed, 0 with another outcome · 1 same"
    assert "  model: m → n" in lines


def test_nobody_can_paint(screen):  # noqa: F811
    hostile = "\x1b]0;title\x07\x9b2J[red]x[/red]\r\u202e"
    console, out = screen(80)
    render_comparison(console, comparison(hostile))
    one = Recorded(request=AskRequest(run_id=ID, prompt=hostile), result=result(model=hostile), note=hostile)
    render_planned(console, planned([one], [NotReplayed(run_id=ID, reason=hostile)], hostile))
    text = text_of(out)
    assert not set(text) & set("\x1b\x07\x9b\r\u202e")
    assert text.count("[red]x[/red]") >= 8
