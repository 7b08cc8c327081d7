"""What the client lays down for a run before it asks for it, and what it fetches of the answer."""

import hashlib
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError
from test_client import ID, OUTPUTS, FakeCloud, stored

from toolkit.checker.message import unpack_tree
from toolkit.client import Client
from toolkit.contracts import MAX_EVENT_BYTES, AskRequest, RequestInBucket, Tree
from toolkit.errors import TfkitError

START = Tree(files={"main.tf": b"a\n"})


class Cloud(FakeCloud):
    """Takes objects and events, and remembers the order."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[str] = []
        self.payloads: list[bytes] = []
        self.refuses = False

    def put_object(self, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803 - boto3's names
        assert Bucket == OUTPUTS.runs_bucket
        if self.refuses:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "PutObject")
        self.done.append(Key)
        self.objects[Key] = Body

    def invoke(self, **arguments: Any) -> None:
        self.done.append(arguments["InvocationType"])
        self.payloads.append(arguments["Payload"])


def request(**fields: Any) -> AskRequest:
    return AskRequest(**{"run_id": ID, "prompt": "p", **fields})


def test_what_a_run_starts_from_lies_there_before_it_is_asked_for():
    cloud, attached = Cloud(), Tree(files={"s.txt": b"x"})
    asked = request(start=START.hash, attached=attached.hash)
    Client(cloud, OUTPUTS).submit(asked, START, attached)
    assert cloud.done == [f"runs/{ID}/start.tree", f"runs/{ID}/attached.tree", "Event"]
    assert unpack_tree(cloud.objects[f"runs/{ID}/start.tree"], START.hash) == START
    assert msgspec.json.decode(cloud.payloads[0], type=AskRequest) == asked


def test_a_run_without_files_lays_nothing_down():
    cloud = Cloud()
    Client(cloud, OUTPUTS).submit(request(), None, Tree())
    assert cloud.done == ["Event"]


def test_a_large_request_goes_through_the_bucket_by_its_hash():
    cloud, asked = Cloud(), request(prompt="ü" * (MAX_EVENT_BYTES // 2))
    Client(cloud, OUTPUTS).submit(asked)
    assert cloud.done == [f"runs/{ID}/request.json", "Event"]
    named = msgspec.json.decode(cloud.payloads[0], type=RequestInBucket)
    assert named == RequestInBucket(run_id=ID, request_sha256=asked.sha256)
    body = cloud.objects[f"runs/{ID}/request.json"]
    assert hashlib.sha256(body).hexdigest() == asked.sha256
    assert msgspec.json.decode(body, type=AskRequest) == asked


def test_a_bucket_that_refuses_ends_it_before_anything_is_asked():
    cloud = Cloud()
    cloud.refuses = True
    with pytest.raises(TfkitError, match=r"does not take runs/.*/start\.tree"):
        Client(cloud, OUTPUTS).submit(request(start=START.hash), START)
    assert cloud.payloads == []


def test_only_what_differs_is_fetched_and_all_of_it_is_verified():
    cloud = Cloud()
    result = stored(cloud, {"main.tf": b"a\n", "new.tf": b"b\n"})
    del cloud.objects[f"runs/{ID}/workspace/main.tf"]
    assert Client(cloud, OUTPUTS).tree(result, START).files == {"main.tf": b"a\n", "new.tf": b"b\n"}
    cloud.objects[f"runs/{ID}/workspace/new.tf"] = b"tampered"
    with pytest.raises(TfkitError, match=r"new\.tf was changed"):
        Client(cloud, OUTPUTS).tree(result, START)
