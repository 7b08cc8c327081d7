"""Which states from elsewhere become the embedded engine's, and which are refused, with the reason."""

import copy
import json
from pathlib import Path
from typing import Any

import pulumi
import pytest
from deploy_fakes import FakeCloud, Thing

from toolkit.contracts import Changes, ResourceEvent
from toolkit.deploy.embedded import BEFORE_IMPORT, EmbeddedEngine
from toolkit.deploy.imported import read_document
from toolkit.deploy.wire import SECRET, SIGNATURE
from toolkit.errors import DeployFailed, UsageError


def quiet(_event: ResourceEvent) -> None:
    pass


class Pair:
    """A stack that something is in, and an empty one with the same passphrase file."""

    def __init__(self, folder: Path) -> None:
        self.cloud = FakeCloud()
        self.notes: list[str] = []
        self.full, self.folder = self._engine(folder / "full"), folder / "empty"
        self.empty = self._engine(self.folder)
        self.full.up(program, quiet)
        self.folder.mkdir()
        (self.folder / "passphrase").write_bytes((folder / "full" / "passphrase").read_bytes())

    def _engine(self, folder: Path) -> EmbeddedEngine:
        return EmbeddedEngine(
            folder, "tfkit", "dev", self.cloud, {"region": "us-east-1"}, note=self.notes.append
        )

    @property
    def document(self) -> dict[str, Any]:
        return copy.deepcopy(self.full.export_state())


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)


def program() -> None:
    a = Thing("a", name="a", password=pulumi.Output.secret("hunter2"))
    Thing("b", name="b", uses=a.out)
    pulumi.export("a", a.out)


def test_a_state_is_taken_over_with_its_secrets(pair: Pair) -> None:
    pair.empty.import_state(pair.document)
    assert pair.empty.up(program, quiet).changes == Changes(same=2)
    text = (pair.folder / "state.json").read_text()
    assert "hunter2" not in text and "ciphertext" in text
    assert pair.empty.outputs() == {"a": "out-of-id-1"}


def test_another_passphrase_is_said_before_anything_is_written(pair: Pair) -> None:
    (pair.folder / "passphrase").write_text("another")
    with pytest.raises(DeployFailed, match="cannot be decrypted"):
        pair.empty.import_state(pair.document)
    assert not (pair.folder / "state.json").exists()


def test_secrets_that_were_exported_in_the_clear_are_hidden_again(pair: Pair) -> None:
    document = pair.document
    del document["deployment"]["secrets_providers"]
    for resource in document["deployment"]["resources"]:
        for properties in (resource.get("inputs", {}), resource.get("outputs", {})):
            if "password" in properties:
                properties["password"] = {SIGNATURE: SECRET, "plaintext": json.dumps("hunter2")}
    pair.empty.import_state(document)
    assert "hunter2" not in (pair.folder / "state.json").read_text()
    assert pair.empty.up(program, quiet).changes == Changes(same=2)


def test_a_stack_with_resources_is_replaced_by_force_alone(pair: Pair) -> None:
    nothing = {"version": 3, "deployment": {"resources": []}}
    with pytest.raises(DeployFailed, match="has resources") as caught:
        pair.full.import_state(nothing)
    assert "tfkit down" in caught.value.hint
    assert BEFORE_IMPORT in caught.value.hint
    assert len(pair.full.resources()) == 4
    assert pair.notes == []
    pair.full.import_state(nothing, force=True)
    assert pair.full.resources() == []
    assert len(pair.cloud.things) == 2


def test_the_state_that_was_replaced_is_kept_and_can_come_back(pair: Pair) -> None:
    before = pair.full.state_path.read_bytes()
    copy = pair.full.state_path.with_name(BEFORE_IMPORT)
    pair.full.import_state({"version": 3, "deployment": {}}, force=True)
    assert copy.read_bytes() == before
    assert copy.stat().st_mode & 0o777 == 0o600
    assert pair.notes == [f"the state that was replaced is kept as {copy}"]
    pair.full.import_state(read_document(copy))  # an empty state is not worth a copy in its place
    assert copy.read_bytes() == before
    assert pair.full.up(program, quiet).changes == Changes(same=2)


def test_an_import_that_fails_replaces_nothing(pair: Pair) -> None:
    before = pair.full.state_path.read_bytes()
    with pytest.raises(DeployFailed, match="salt"):
        pair.full.import_state(spoiled(pair.document, "salt"), force=True)
    assert pair.full.state_path.read_bytes() == before
    assert pair.notes == []
    assert not pair.full.state_path.with_name(BEFORE_IMPORT).exists()


def test_without_a_passphrase_none_is_made_up(pair: Pair) -> None:
    (pair.folder / "passphrase").unlink()
    with pytest.raises(DeployFailed, match="passphrase is not there") as caught:
        pair.empty.import_state(pair.document)
    assert str(pair.folder / "passphrase") in caught.value.hint
    assert list(pair.folder.glob("passphrase")) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"[]", "holds no JSON object"),
        (b"3", "holds no JSON object"),
        (b"{", "no JSON document: Input data was truncated"),
        (b'"\xff"', "no JSON document: .*can't decode"),
        (b"", "no JSON document"),
        (b'{"version":3,"deployment":' + b"[" * 100_000, "nested too deep"),
    ],
)
def test_a_file_that_is_no_document_is_refused_for_what_it_is(tmp_path: Path, text: bytes, said: str) -> None:
    file = tmp_path / "given.json"
    file.write_bytes(text)
    with pytest.raises(UsageError, match=said) as caught:
        read_document(file)
    assert str(file) in caught.value.message
    assert "state export" in caught.value.hint


def test_a_creation_under_way_comes_along_and_is_finished(pair: Pair) -> None:
    document = pair.document
    cut = document["deployment"]["resources"].pop()
    document["deployment"]["pending_operations"] = [{"resource": {**cut, "id": ""}, "type": "creating"}]
    pair.empty.import_state(document)
    assert pair.empty.up(program, quiet).changes == Changes(same=2)
    assert len(pair.cloud.things) == 2


def spoiled(document: dict[str, Any], how: str) -> Any:
    deployment = document["deployment"]
    last = deployment["resources"][-1]
    match how:
        case "version":
            document["version"] = 2
        case "nothing":
            document["deployment"] = None
        case "stack":
            last["urn"] = last["urn"].replace(":dev::", ":prod::")
        case "project":
            last["urn"] = last["urn"].replace("::tfkit::", "::other::")
        case "twice":
            deployment["resources"].append(last)
        case "order":
            deployment["resources"].reverse()
        case "shape":
            deployment["resources"].append("x")
        case "deleting":
            deployment["pending_operations"] = [{"resource": last, "type": "deleting"}]
        case "external":
            last["external"] = True
        case "type":
            last["type"] = "random:index/randomId:RandomId"
        case "key":
            deployment["secrets_providers"]["type"] = "cloud"
        case "unsaid":
            del deployment["secrets_providers"]
        case "field":
            last["inputs"] = "x"
        case "dependencies":
            last["propertyDependencies"] = ["a"]
        case "pending":
            other = {**last, "urn": last["urn"].replace(":dev::", ":prod::")}
            deployment["pending_operations"] = [{"resource": other, "type": "creating"}]
        case "deep":
            last["inputs"] = nested(101)
        case "very deep":
            last["inputs"] = nested(5_000)
        case "list":
            document["deployment"] = []
        case "salt":
            deployment["secrets_providers"]["state"]["salt"] = "v1:zz"
        case "no salt":
            deployment["secrets_providers"]["state"] = {"salt": ""}
        case "other salt":
            deployment["secrets_providers"]["state"]["salt"] = ["v1"]
        case "no state":
            del deployment["secrets_providers"]["state"]
        case "state":
            deployment["secrets_providers"]["state"] = "x"
        case "provider":
            deployment["secrets_providers"] = "passphrase"
        case "ciphertext":
            last["inputs"] = {"password": {SIGNATURE: SECRET, "ciphertext": "v1:zz:zz"}}
        case "no ciphertext":
            last["inputs"] = {"password": {SIGNATURE: SECRET, "ciphertext": 7}}
        case "plaintext":
            last["inputs"] = {"password": {SIGNATURE: SECRET, "plaintext": "{"}}
    return document


def nested(levels: int) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for _ in range(levels):
        data = {"a": data}
    return data


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("version", "no deployment document of version 3"),
        ("nothing", "no deployment document of version 3"),
        ("stack", "another stack or project"),
        ("project", "another stack or project"),
        ("twice", "is in it twice"),
        ("order", "does not stand before it"),
        ("shape", "Expected `object`, got `str`"),
        ("deleting", r"under way in it \(deleting\)"),
        ("external", "is external"),
        ("type", "no provider for random"),
        ("key", "under 'cloud', not under a passphrase"),
        ("unsaid", "does not say how"),
        ("field", "Expected `object`, got `str`"),
        ("dependencies", "Expected `object`, got `array`"),
        ("pending", "which is under way in it, is of another stack"),
        ("deep", "more than 100 levels deep"),
        ("very deep", "more than 100 levels deep"),
        ("list", "no deployment document of version 3"),
        ("salt", "salt .* is damaged"),
        ("no salt", "salt .* is damaged"),
        ("other salt", "salt .* is damaged"),
        ("no state", "salt .* is damaged"),
        ("state", "salt .* is damaged"),
        ("provider", "secrets_providers"),
        ("ciphertext", "a secret of the state cannot be decrypted"),
        ("no ciphertext", "a secret of the state cannot be decrypted"),
        ("plaintext", "in the clear is no JSON"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(pair: Pair, how: str, said: str) -> None:
    with pytest.raises(DeployFailed, match=said) as caught:
        pair.empty.import_state(spoiled(pair.document, how))
    assert caught.value.hint
    assert not (pair.folder / "state.json").exists()
