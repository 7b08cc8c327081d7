"""`tfkit verify`, and the statement that `ask` and `runs files` leave beside a folder."""

import json
from pathlib import Path

import pytest
from cli_fakes import ID
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256

from toolkit import dsse, statement
from toolkit.contracts import RunResult, Tree

PRIVATE = ec.generate_private_key(ec.SECP256R1())
DER = PRIVATE.public_key().public_bytes(
    serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
)
TREE = Tree(files={"main.tf": b"# a\n"})
RESULT = RunResult(
    run_id=ID, status="ok", model="haiku", prompt="p", output="", files=TREE.entries, not_proven=["a lot"]
)


class Kms:
    def sign(self, **asked):
        signature = PRIVATE.sign(asked["Message"], ec.ECDSA(utils.Prehashed(SHA256())))
        return {"KeyId": asked["KeyId"], "Signature": signature}


ENVELOPE = statement.sign(Kms(), "arn:ours", statement.make(RESULT, "dev", "me", "2026-11-21T00:00:00Z", []))


@pytest.fixture
def infra(tmp_path: Path, client) -> Path:
    """A folder as the run made it, on a platform that knows of it."""
    client.der = DER
    client.statements = {ID: ENVELOPE, TREE.hash: ENVELOPE}
    folder = tmp_path / "infra"
    folder.mkdir()
    (folder / "main.tf").write_bytes(TREE.files["main.tf"])
    return folder


def test_the_platform_is_asked_by_the_tree(tfkit, infra):
    ended = tfkit("verify", "infra", "--json")
    assert ended.code == 0
    assert (ended.document["ok"], ended.document["run_id"], ended.document["key"]) == (True, ID, "arn:ours")
    said = tfkit("verify", "infra")
    assert f"✔ infra is what run {ID} produced and signed: haiku, for me" in said.out
    assert "not proven: a lot" in said.out
    assert "no evidence" in said.err, "a signature of the emulator must never pass for one"


def test_one_byte_more_is_refused_and_the_file_is_named(tfkit, infra):
    Path("infra.tfkit.json").write_bytes(ENVELOPE)
    assert tfkit("verify", "infra").code == 0
    (infra / "main.tf").write_bytes(TREE.files["main.tf"] + b" ")
    (infra / "b\x1b.tf").touch()
    ended = tfkit("verify", "infra")
    assert ended.code == 1
    assert "✘ infra is not proven" in ended.out and "changed   main.tf" in ended.out
    assert "added     b␛.tf" in ended.out
    document = tfkit("verify", "infra", "--json").document
    assert (document["ok"], document["changed"], document["missing"]) == (False, ["main.tf"], [])


def test_a_tree_without_a_statement_is_refused(tfkit, infra, client):
    client.statements = {}
    ended = tfkit("verify", "infra", "--json")
    assert ended.code == 1 and "no run of this platform" in ended.document["problems"][0]


def test_with_a_key_and_a_statement_no_platform_is_asked(tfkit, infra, monkeypatch):
    assert tfkit("verify", "--write-key", "k.pem").code == 0
    assert dsse.with_public_key(Path("k.pem").read_bytes())
    assert tfkit("verify", "--write-key", "k.pem", "--json").document["key"] == "arn:ours"
    monkeypatch.setattr("toolkit.client.Client", None)
    Path("s.json").write_bytes(ENVELOPE)
    ended = tfkit("verify", "infra", "--statement", "s.json", "--key", "k.pem")
    assert (ended.code, ended.err) == (0, "")
    without = tfkit("verify", "infra", "--key", "k.pem")
    assert without.code == 1 and "--statement FILE" in without.out


def test_bad_input_is_2(tfkit, infra):
    Path("k.pem").write_text("no key")
    Path("s.json").write_bytes(ENVELOPE)
    inside = infra / "a.tf.json"
    inside.write_bytes(ENVELOPE)
    for arguments, said in [
        ((), "which folder"),
        (("nowhere",), "does not exist"),
        (("infra", "--statement", "nowhere"), "does not exist"),
        (("infra", "--statement", "s.json", "--key", "k.pem"), "holds no public key"),
        (("infra", "--statement", str(inside)), "terraform would read"),
        (("--write-key", "k.pem"), "holds something else"),
    ]:
        ended = tfkit("verify", *arguments)
        assert ended.code == 2 and said in ended.err, arguments
    assert Path("k.pem").read_text() == "no key"


@pytest.mark.parametrize("command", [("ask", "a bucket", "-o", "out"), ("runs", "files", ID, "-o", "out")])
def test_the_statement_is_put_beside_the_folder(tfkit, infra, client, command):
    ended = tfkit(*command)
    assert ended.code == 0 and Path("out.tfkit.json").read_bytes() == ENVELOPE
    assert ("signed: out.tfkit.json" in ended.out) == (command[0] == "ask")
    assert [path.name for path in client.written] == ["out"]


def test_of_what_lies_there_only_a_statement_is_replaced(tfkit, infra):
    old = Path("out.tfkit.json")
    old.write_text("my own")
    ended = tfkit("ask", "a bucket", "-o", "out")
    assert ended.code == 0 and old.read_text() == "my own" and "left as it is" in ended.err
    changed = json.loads(ENVELOPE)
    changed["signatures"] = []
    old.write_text(json.dumps(changed))
    tfkit("ask", "a bucket", "-o", "out")
    assert old.read_bytes() == ENVELOPE


def test_a_place_that_takes_no_file_is_said_and_ends_nothing(tfkit, infra):
    Path("out.tfkit.json").mkdir()
    ended = tfkit("ask", "a bucket", "-o", "out")
    assert ended.code == 0 and "left as it is" in ended.err


def test_a_run_that_is_not_ok_leaves_none(tfkit, infra, client):
    client.outcome = RunResult(
        run_id=ID, status="not_converged", model="m", prompt="p", output="", files=TREE.entries
    )
    assert tfkit("ask", "a bucket", "-o", "out").code == 3
    assert not Path("out.tfkit.json").exists()


def test_files_that_nobody_compared_are_counted_in_the_headline(tfkit, infra, client):
    stated = statement.make(RESULT, "dev", "me", "2026-11-21T00:00:00Z", [], "sha256:" + "0" * 64)
    client.statements[TREE.hash] = statement.sign(Kms(), "arn:ours", stated)
    (infra / ".gitignore").write_text("*.log\n")
    ended = tfkit("verify", "infra")
    assert ended.code == 0 and ", 2026-11-21T00:00:00Z, but 1 file was not compared\n" in ended.out
    assert "left out  .gitignore" in ended.out
    (infra / "credentials.json").write_text("{}")
    ended = tfkit("verify", "infra")
    assert ended.code == 1 and "added     credentials.json" in ended.out
