"""The statement of a run, and the key that checks it, as the platform hands them out."""

import msgspec
import pytest
from test_client import ID, OUTPUTS, FakeCloud

from toolkit.client import Client
from toolkit.contracts import Tree
from toolkit.errors import TfkitError
from toolkit.tables import statement_key, tree_key

TREE = Tree(files={"main.tf": b"x"}).hash


class Cloud(FakeCloud):
    """The bucket of the client's tests, and a key beside it."""

    def get_public_key(self, KeyId: str) -> dict[str, bytes]:  # noqa: N803 - boto3's name
        return {"PublicKey": KeyId.encode()}


def test_statements_are_found_by_run_and_by_tree():
    cloud = Cloud()
    cloud.objects = {statement_key(ID): b"by run", tree_key(TREE): b"by tree"}
    client = Client(cloud, OUTPUTS)
    assert client.statement(ID) == b"by run"
    assert client.statement_of_tree(TREE) == b"by tree"
    assert client.statement("another-run") is None
    assert client.statement_of_tree("sha256:0") is None


def test_a_statement_that_was_withdrawn_is_none():
    cloud = Cloud()
    cloud.objects = {statement_key(ID): b""}
    assert Client(cloud, OUTPUTS).statement(ID) is None


def test_the_key_is_the_platforms_and_not_the_statements():
    assert Client(Cloud(), OUTPUTS).public_key() == ("statement_key_arn", b"statement_key_arn")
    older = msgspec.structs.replace(OUTPUTS, statement_key_arn="")
    with pytest.raises(TfkitError, match="signs no statements yet"):
        Client(Cloud(), older).public_key()
