"""The brake and the cancelling of one run, as they are printed and as they end."""

import pytest
from cli_fakes import ID, FakeClient, FakePlatform

from toolkit.cancelling import Cancelled, How
from toolkit.deploy.brake import Stopped
from toolkit.errors import TfkitError


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch, client: FakeClient) -> list[Cancelled]:
    """What the brake will have cancelled."""
    cancelled: list[Cancelled] = []
    stop = lambda _platform: Stopped(cancelled=cancelled, seconds=1.25)  # noqa: E731
    monkeypatch.setattr(FakePlatform, "stop", stop, raising=False)
    return cancelled


def test_stop_as_json(tfkit, stopped: list[Cancelled]):
    stopped.append(Cancelled(run_id=ID, how="closed"))
    ended = tfkit("stop", "--json")
    assert ended.code == 0
    assert ended.document == {
        "target": "local",
        "account": "000000000000",
        "region": ended.document["region"],
        "stack": "dev",
        "stopped": True,
        "cancelled": [ID],
        "seconds": 1.25,
    }


def test_stop_for_people(tfkit, stopped: list[Cancelled]):
    assert "nothing was running" in tfkit("stop").out
    stopped.append(Cancelled(run_id=ID, how="ended"))
    out = tfkit("stop").out
    assert f"cancelled  {ID}  what there was is stored" in out
    assert "tfkit up releases it" in out


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("ended", "what there was is stored"),
        ("closed", "did not answer"),
        ("never began", "had not begun"),
        ("before", "already"),
    ],
)
def test_cancelling_a_run_says_how_it_came_to_that(
    tfkit, client: FakeClient, monkeypatch: pytest.MonkeyPatch, how: How, said: str
):
    monkeypatch.setattr(
        FakeClient, "cancel", lambda _self, run_id: Cancelled(run_id=run_id, how=how), raising=False
    )
    ended = tfkit("runs", "cancel", ID)
    assert ended.code == 0
    assert said in ended.out
    assert tfkit("runs", "cancel", ID, "--json").document == {
        "run_id": ID,
        "status": "cancelled",
        "how": how,
    }


def test_a_run_that_had_ended_is_1(tfkit, client: FakeClient, monkeypatch: pytest.MonkeyPatch):
    def cancel(_self: FakeClient, run_id: str) -> Cancelled:
        raise TfkitError(f"run {run_id} had ended before it could be cancelled: ok")

    monkeypatch.setattr(FakeClient, "cancel", cancel, raising=False)
    ended = tfkit("runs", "cancel", ID, "--json")
    assert ended.code == 1
    assert "had ended" in ended.document["error"]
