"""The request of a past run and what it was given, as the client fetches them to do it again."""

import hashlib

import msgspec
import pytest
from test_client import ID, OUTPUTS, FakeCloud

from toolkit.checker.message import pack
from toolkit.client import Client
from toolkit.contracts import AskRequest, RunRecord, Tree, to_json
from toolkit.errors import TfkitError

START, ATTACHED = Tree(files={"main.tf": b"a\n"}), Tree(files={"n.txt": b"note"})
REQUEST = AskRequest(run_id=ID, prompt="p", start=START.hash, attached=ATTACHED.hash)


def row_of(body: bytes) -> RunRecord:
    return RunRecord(run_id=ID, status="ok", request_sha256=hashlib.sha256(body).hexdigest(), prompt="p")


@pytest.fixture
def cloud() -> FakeCloud:
    made = FakeCloud()
    made.objects = {
        f"runs/{ID}/request.json": to_json(REQUEST),
        f"runs/{ID}/start.tree": pack(START),
        f"runs/{ID}/attached.tree": pack(ATTACHED),
    }
    return made


def test_the_request_is_the_one_that_the_row_names(cloud):
    client = Client(cloud, OUTPUTS)
    assert client.request(row_of(to_json(REQUEST))) == REQUEST
    cloud.objects[f"runs/{ID}/request.json"] = to_json(msgspec.structs.replace(REQUEST, prompt="other"))
    with pytest.raises(TfkitError, match=f"not the one that run {ID} had"):
        client.request(row_of(to_json(REQUEST)))


def test_a_request_of_an_older_version_is_read_and_still_known_by_its_own_bytes(cloud):
    older = b'{"run_id":"%s","prompt":"p"}' % ID.encode()
    cloud.objects[f"runs/{ID}/request.json"] = older
    assert Client(cloud, OUTPUTS).request(row_of(older)) == AskRequest(run_id=ID, prompt="p")


def test_a_request_of_a_later_version_is_refused_and_not_guessed_at(cloud):
    later = b'{"run_id":"%s","prompt":"p","unheard":1}' % ID.encode()
    cloud.objects[f"runs/{ID}/request.json"] = later
    with pytest.raises(TfkitError, match="cannot be read: Object contains unknown field `unheard`"):
        Client(cloud, OUTPUTS).request(row_of(later))


def test_a_run_whose_request_was_not_kept(cloud):
    del cloud.objects[f"runs/{ID}/request.json"]
    assert Client(cloud, OUTPUTS).request(row_of(b"")) is None


def test_what_a_run_was_given_is_held_against_its_hash(cloud):
    client = Client(cloud, OUTPUTS)
    assert client.given_to(REQUEST) == (START, ATTACHED)
    assert client.given_to(AskRequest(run_id=ID, prompt="p")) == (Tree(), Tree())
    cloud.objects[f"runs/{ID}/start.tree"] = pack(ATTACHED)
    with pytest.raises(TfkitError, match="not the one that its hash names"):
        client.given_to(REQUEST)


@pytest.mark.parametrize(
    ("key", "what"),
    [("start.tree", "the files that it started from"), ("attached.tree", "what was attached to its prompt")],
)
def test_what_is_gone_is_named(cloud, key, what):
    del cloud.objects[f"runs/{ID}/{key}"]
    with pytest.raises(TfkitError, match=f"no longer in the bucket: {what}"):
        Client(cloud, OUTPUTS).given_to(REQUEST)
