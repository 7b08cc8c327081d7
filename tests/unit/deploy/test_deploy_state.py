"""The state on disk: what is no state of this stack is refused and left alone; a full disk is said as one."""

import copy
import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest
from deploy_fakes import FakeCloud, Thing

from toolkit.contracts import Changes, ResourceEvent
from toolkit.deploy import disk
from toolkit.deploy.embedded import EmbeddedEngine
from toolkit.deploy.wire import SECRET, SIGNATURE
from toolkit.errors import DeployFailed


def quiet(_event: ResourceEvent) -> None:
    pass


def program() -> None:
    a = Thing("a", name="a")
    Thing("b", name="b", uses=a.out)
    pulumi.export("a", a.out)


class Bench:
    """A stack that is up, and the operations on it."""

    def __init__(self, folder: Path) -> None:
        self.cloud = FakeCloud()
        self.engine = EmbeddedEngine(folder, "tfkit", "dev", self.cloud, {"region": "us-east-1"})
        self.engine.up(program, quiet)
        self.file = self.engine.state_path
        self.before = json.loads(self.file.read_text())

    @property
    def operations(self) -> dict[str, Callable[[], Any]]:
        return {
            "up": lambda: self.engine.up(program, quiet),
            "preview": lambda: self.engine.preview(program, quiet),
            "refresh": lambda: self.engine.refresh(quiet),
            "drift": lambda: self.engine.drift(quiet),
            "destroy": lambda: self.engine.destroy(quiet),
            "plan": lambda: self.engine.plan_destroy(quiet),
            "resources": self.engine.resources,
            "outputs": self.engine.outputs,
            "export": self.engine.export_state,
            "import": lambda: self.engine.import_state(self.before, force=True),
        }


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "dev")


OPERATIONS = (
    "up",
    "preview",
    "refresh",
    "drift",
    "destroy",
    "plan",
    "resources",
    "outputs",
    "export",
    "import",
)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_state_of_another_stack_is_not_taken(bench: Bench, operation: str) -> None:
    foreign = bench.file.read_text().replace(":dev::", ":prod::")
    bench.file.write_text(foreign)
    bench.cloud.calls.clear()
    with pytest.raises(DeployFailed) as caught:
        bench.operations[operation]()
    assert f"{bench.file} is the state of the stack 'prod' of 'tfkit', not of the stack 'dev' of 'tfkit'" == (
        caught.value.message
    )
    assert "backup" in caught.value.hint
    assert bench.file.read_text() == foreign
    assert bench.cloud.calls == []


def test_another_stack_is_named_before_a_missing_passphrase(bench: Bench) -> None:
    foreign = json.loads(bench.file.read_text().replace(":dev::", ":prod::"))
    salt = {"type": "passphrase", "state": {"salt": "v1:c2FsdHNhbHQ=:v1:x:y"}}
    foreign["deployment"]["secrets_providers"] = salt
    foreign["deployment"]["resources"][-1]["inputs"]["p"] = {SIGNATURE: SECRET, "ciphertext": "v1:x:y"}
    bench.file.write_text(json.dumps(foreign))
    with pytest.raises(DeployFailed, match="is the state of the stack 'prod'"):
        bench.engine.up(program, quiet)


def test_one_resource_of_another_stack_is_enough(bench: Bench) -> None:
    other = copy.deepcopy(bench.before)
    last = other["deployment"]["resources"][-1]
    other["deployment"]["pending_operations"] = [
        {"resource": {**last, "urn": last["urn"].replace("::tfkit::", "::shop::")}, "type": "creating"}
    ]
    bench.file.write_text(json.dumps(other))
    with pytest.raises(DeployFailed, match="the stack 'dev' of 'shop', not of the stack 'dev' of 'tfkit'"):
        bench.engine.up(program, quiet)


BROKEN = (
    "list",
    "text",
    "empty",
    "bytes",
    "deep",
    "nested",
    "version",
    "deployment",
    "resources",
    "resource",
    "urn",
)


def broken(document: dict[str, Any], how: str) -> bytes:
    deployment = document["deployment"]
    match how:
        case "list":
            return b"[]"
        case "text":
            return b'"state"'
        case "empty":
            return b""
        case "bytes":
            return b'{"version": 3, "deployment": "\xff"}'
        case "deep":
            return b"[" * 100_000
        case "nested":
            deployment["resources"][-1]["inputs"] = json.loads('{"a":' * 150 + "1" + "}" * 150)
        case "version":
            document["version"] = 4
        case "deployment":
            document["deployment"] = []
        case "resources":
            deployment["resources"] = "x"
        case "resource":
            deployment["resources"][0] = 3
        case "urn":
            for resource in deployment["resources"]:
                resource["urn"] = 3
    return json.dumps(document).encode()


@pytest.mark.parametrize("how", BROKEN)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_no_state_is_named_and_left_alone(bench: Bench, operation: str, how: str) -> None:
    content = broken(copy.deepcopy(bench.before), how)
    bench.file.write_bytes(content)
    bench.cloud.calls.clear()
    with pytest.raises(DeployFailed, match=r"cannot be read: .*state\.json: .") as caught:
        bench.operations[operation]()
    assert "backup" in caught.value.hint
    assert bench.file.read_bytes() == content
    assert bench.cloud.calls == []


def test_leftovers_of_a_kill_are_gone_with_the_next_operation(bench: Bench) -> None:
    folder = bench.file.parent
    left = folder / "state.json.ab12_xyz.tmp"
    for operation in ("up", "refresh", "destroy"):
        left.write_text("{")
        bench.operations[operation]()
        assert not left.exists(), operation
    assert sorted(path.name for path in folder.iterdir()) == ["lock"]


class FullDisk:
    """Nothing of the state can be written any more, from the given write on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, writes: int) -> None:
        self._left = writes
        self._fsync = disk.os.fsync
        monkeypatch.setattr(disk.os, "fsync", self._full)

    def _full(self, handle: int) -> None:
        self._left -= 1
        if self._left < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        self._fsync(handle)


@pytest.mark.parametrize("writes", [0, 1, 2])
def test_a_full_disk_is_said_as_one_the_first_time_and_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    engine = EmbeddedEngine(tmp_path, "tfkit", "dev", FakeCloud(), {"region": "us-east-1"})
    with monkeypatch.context() as patch:
        FullDisk(patch, writes)
        for _ in range(2):
            with pytest.raises(DeployFailed, match="No space left on device") as caught:
                engine.up(program, quiet)
            assert caught.value.hint == "free the disk or fix the rights"
    assert engine.up(program, quiet).changes.create >= 1
    assert engine.up(program, quiet).changes == Changes(same=2)


def test_the_hint_of_a_resource_that_failed_comes_through_the_engine(bench: Bench) -> None:
    def refusing(_request: Any, _context: Any) -> Any:
        raise DeployFailed("AccessDenied", "ask for kms:CreateKey")

    bench.cloud.Create = refusing

    def more() -> None:
        program()
        Thing("c", name="c")

    with pytest.raises(DeployFailed, match=r"create of c .* failed: AccessDenied") as caught:
        bench.engine.up(more, quiet)
    assert caught.value.hint == "ask for kms:CreateKey"
