"""How the read side comes by its keys; the rest of it is tried against the emulator."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from toolkit.cloud import Cloud
from toolkit.errors import TfkitError
from toolkit.traces.fetch import BATCH_BYTES, Bucket, Listed, _batches, _credentials, open_store


class FakeSession:
    def __init__(self, *tokens: str) -> None:
        self.tokens = list(tokens)

    def get_credentials(self):
        if not self.tokens:
            return None
        token = self.tokens.pop(0)
        frozen = SimpleNamespace(access_key="AK", secret_key="SK", token=token)
        return SimpleNamespace(get_frozen_credentials=lambda: frozen)


def on_aws(monkeypatch, session: FakeSession) -> Cloud:
    monkeypatch.setattr(Cloud, "session", session)
    return Cloud("aws", "eu-central-1", "111111111111")


def test_on_aws_the_sessions_keys_are_asked_for_again_when_they_run_out(monkeypatch):
    get = _credentials(on_aws(monkeypatch, FakeSession("one", "two")))
    first, second = get(), get()
    assert (first["access_key_id"], first["secret_access_key"], first["token"]) == ("AK", "SK", "one")
    assert second["token"] == "two"
    assert first["expires_at"] > datetime.now(UTC)


def test_no_login_is_told_before_any_request(monkeypatch):
    with pytest.raises(TfkitError, match="no AWS credentials") as caught:
        open_store(on_aws(monkeypatch, FakeSession()), "bucket")
    assert "aws sso login" in caught.value.hint


def test_locally_nothing_of_the_session_is_touched(monkeypatch):
    monkeypatch.setattr(Cloud, "session", FakeSession())
    here = {"endpoint": "http://127.0.0.1:1", "key": "AKIALOCAL", "secret": "s"}
    found = _credentials(Cloud("local", "us-east-1", "000000000000", **here))()
    assert (found["access_key_id"], found["secret_access_key"]) == ("AKIALOCAL", "s")
    assert "token" not in found


def test_an_emulator_that_is_down_is_told_with_the_next_step():
    bucket = Bucket(Cloud("local", "us-east-1", "000000000000", endpoint="http://127.0.0.1:1"), "audit")
    for ask in (bucket.list, bucket.folders, bucket.get):
        with pytest.raises(TfkitError, match="could not read s3://audit") as caught:
            ask("year=2026/")
        assert "tfkit status" in caught.value.hint
        assert "\n" not in caught.value.message


def test_batches_are_bounded_and_lose_nothing():
    items = [
        Listed(str(number), size) for number, size in enumerate([1, BATCH_BYTES, 5, 5, BATCH_BYTES * 3, 1])
    ]
    groups = list(_batches(items))
    assert [item for group in groups for item in group] == items
    assert [len(group) for group in groups] == [2, 3, 1]
    assert list(_batches([])) == []
