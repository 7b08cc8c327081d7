"""A folder against a statement: the untouched one passes, and nothing else does."""

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils
from statement_made import AWS, TREE, made

from toolkit import dsse, statement
from toolkit.contracts import Tree
from toolkit.dsse import to_pem, with_public_key
from toolkit.errors import UsageError
from toolkit.verifying import Key, Verdict, beside, is_statement, read_folder, tree_sent, unstated, verify

OURS, THEIRS = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
ARN = "arn:aws:kms:us-east-1:123456789012:key/ours"


def der(private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


KEY = Key(ARN, ARN, with_public_key(der(OURS)))


class Kms:
    """KMS as far as signing goes, with a key of this process."""

    def __init__(self, private: ec.EllipticCurvePrivateKey = OURS, arn: str = ARN) -> None:
        self._private = private
        self._arn = arn

    def sign(self, **asked: Any) -> dict[str, Any]:
        assert (asked["MessageType"], asked["SigningAlgorithm"]) == ("DIGEST", "ECDSA_SHA_256")
        algorithm = ec.ECDSA(utils.Prehashed(hashes.SHA256()))
        return {"KeyId": self._arn, "Signature": self._private.sign(asked["Message"], algorithm)}


def signed(tree: Tree = TREE, kms: Kms | None = None) -> bytes:
    return statement.sign(kms or Kms(), ARN, made(files=tree.entries))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "infra"
    for path, content in TREE.files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    return root


def held(folder: Path, body: bytes | None = None, key: Key = KEY) -> Verdict:
    return verify(read_folder(folder), signed() if body is None else body, "infra.tfkit.json", key)


def differences(verdict: Verdict) -> tuple[list[str], list[str], list[str]]:
    assert not verdict.ok and verdict.problems
    return verdict.added, verdict.missing, verdict.changed


def test_the_untouched_folder_is_what_the_run_signed(folder: Path) -> None:
    verdict = held(folder)
    assert verdict.ok and not verdict.problems
    assert (verdict.tree, verdict.run_id, verdict.key) == (TREE.hash, "run-00000001", ARN)
    assert verdict.not_proven == ["nothing was applied"]


def test_modes_times_and_empty_folders_are_no_part_of_it(folder: Path) -> None:
    (folder / "empty").mkdir()
    (folder / "main.tf").chmod(0o755)
    os.utime(folder / "main.tf", (0, 0))
    assert held(folder).ok


def test_every_single_byte_counts(folder: Path) -> None:
    original = (folder / "main.tf").read_bytes()
    for at in range(len(original)):
        changed = bytearray(original)
        changed[at] ^= 1
        (folder / "main.tf").write_bytes(changed)
        assert differences(held(folder)) == ([], [], ["main.tf"])
    (folder / "main.tf").write_bytes(original + b"\n")
    assert differences(held(folder)) == ([], [], ["main.tf"])
    (folder / "main.tf").write_bytes(original)
    assert held(folder).ok


def test_what_is_added_missing_or_moved_is_named(folder: Path) -> None:
    (folder / "x.auto.tfvars").write_text("a = 1")
    (folder / "modules/a/.hidden").touch()
    (folder / "main.tf").rename(folder / "other.tf")
    added, missing, changed = differences(held(folder))
    assert added == ["modules/a/.hidden", "other.tf", "x.auto.tfvars"]
    assert (missing, changed) == (["main.tf"], [])


def test_what_is_no_file_of_the_folder_is_never_followed(folder: Path, tmp_path: Path) -> None:
    same = tmp_path / "same.tf"
    shutil.copy(folder / "main.tf", same)
    (folder / "main.tf").unlink()
    (folder / "main.tf").symlink_to(same)
    (folder / "away").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe.tf")
    (folder / ".terraform" / "providers").mkdir(parents=True)
    (folder / ".terraform" / "providers" / "planted").touch()
    added, missing, changed = differences(held(folder))
    assert added == [".terraform/", "away", "pipe.tf"]
    assert (missing, changed) == ([], ["main.tf"])


def test_a_name_that_is_no_text_is_refused_and_can_be_written(folder: Path) -> None:
    (Path(os.fsdecode(os.fsencode(folder) + b"/\xff.tf"))).touch()
    verdict = held(folder)
    assert differences(verdict) == (["\ufffd.tf"], [], [])
    assert "\\ufffd" in json.dumps(msgspec.to_builtins(verdict))


def test_git_is_not_looked_at_and_is_named(folder: Path) -> None:
    (folder / ".git").mkdir()
    (folder / ".git" / "config").touch()
    verdict = held(folder)
    assert verdict.ok and verdict.left_out == [".git"]
    (folder / "modules" / ".git").mkdir()
    (folder / "modules" / ".git" / "config").touch()
    assert differences(held(folder)) == (["modules/.git/config"], [], [])


LOCK = (
    'provider "registry.terraform.io/hashicorp/{name}" {{\n  version = "{version}"\n  hashes = ["zh:y"]\n}}\n'
)


def test_a_lock_file_may_choose_what_the_run_chose_and_nothing_else(folder: Path) -> None:
    lock = folder / ".terraform.lock.hcl"
    lock.write_text(LOCK.format(name="aws", version=AWS.version))
    verdict = held(folder)
    assert verdict.ok and verdict.left_out == [".terraform.lock.hcl"]
    for content, said in [
        (LOCK.format(name="aws", version="5.99.0"), "aws 5.99.0, and the run was checked with 5.100.0"),
        (LOCK.format(name="evil", version="5.100.0"), "no such provider"),
        ("provider {", "no lock file"),
    ]:
        lock.write_text(content)
        verdict = held(folder)
        assert not verdict.ok and said in verdict.problems[0]
    lock.unlink()
    (folder / "modules" / "a" / ".terraform.lock.hcl").touch()
    assert differences(held(folder)) == (["modules/a/.terraform.lock.hcl"], [], [])


def test_the_statement_of_another_run_is_refused(folder: Path) -> None:
    other = Tree(files={"main.tf": b"# another\n", "extra.tf": b""})
    added, missing, changed = differences(held(folder, signed(other)))
    assert (added, missing, changed) == (["modules/a/b.tf"], ["extra.tf"], ["main.tf"])


def forgeries() -> dict[str, bytes]:
    envelope = json.loads(signed())
    payload = json.loads(base64.b64decode(envelope["payload"]))
    payload["predicate"]["model"] = "another"
    changed = base64.b64encode(json.dumps(payload).encode()).decode()
    (signature,) = envelope["signatures"]
    zeros = base64.b64encode(bytes(70)).decode()
    return {
        "another payload": {**envelope, "payload": changed},
        "another key that says it is ours": json.loads(signed(kms=Kms(THEIRS))),
        "another key": json.loads(signed(kms=Kms(THEIRS, "arn:theirs"))),
        "a good signature by our key, said to be another's": {
            **envelope, "signatures": [{**signature, "keyid": "arn:theirs"}],
        },
        "zeros": {**envelope, "signatures": [{**signature, "sig": zeros}]},
        "no base64": {**envelope, "signatures": [{**signature, "sig": "?"}]},
        "none": {**envelope, "signatures": []},
        "theirs and ours": {**envelope, "signatures": [{**signature, "sig": zeros}, signature]},
        "a digest of the record": {**envelope, "payloadType": "application/vnd.tfkit.digest+json"},
        "no envelope": {},
    }  # fmt: skip


@pytest.mark.parametrize("how", forgeries())
def test_a_forged_statement_is_refused_and_nothing_of_it_repeated(folder: Path, how: str) -> None:
    verdict = held(folder, json.dumps(forgeries()[how]).encode())
    assert not verdict.ok and len(verdict.problems) == 1
    assert (verdict.run_id, verdict.model, verdict.caller, verdict.not_proven) == ("", "", "", [])


def test_a_key_from_a_file_needs_no_arn(folder: Path) -> None:
    pem = to_pem(der(OURS))
    assert pem.startswith(b"-----BEGIN PUBLIC KEY-----")
    assert held(folder, key=Key("k.pem", "", with_public_key(pem))).ok
    other = Key("k.pem", "", with_public_key(to_pem(der(THEIRS))))
    assert "the signature is not of this statement" in held(folder, key=other).problems[0]


def test_only_a_key_on_an_elliptic_curve_is_taken() -> None:
    for key in (b"", b"-----BEGIN PUBLIC KEY-----\n", der(rsa.generate_private_key(65537, 2048))):
        with pytest.raises(ValueError):
            dsse.with_public_key(key)


def test_the_statement_may_lie_in_the_folder_under_a_name_that_terraform_does_not_read(folder: Path) -> None:
    inside = folder / ".tfkit" / "statement.json"
    inside.parent.mkdir()
    inside.write_bytes(signed())
    assert differences(held(folder)) == ([".tfkit/statement.json"], [], [])
    found = read_folder(folder, inside)
    verdict = verify(found, inside.read_bytes(), str(inside), KEY)
    assert verdict.ok and verdict.left_out == [".tfkit/statement.json"]
    for name in ("a.tf.json", "A.TF", "x.auto.tfvars.json"):
        with pytest.raises(UsageError, match="terraform would read"):
            read_folder(folder, folder / name)


def test_without_a_statement_the_folder_is_not_proven(folder: Path) -> None:
    verdict = unstated(read_folder(folder), "there is none")
    assert (verdict.ok, verdict.tree, verdict.problems) == (False, TREE.hash, ["there is none"])


def test_a_statement_lies_beside_its_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert beside(folder) == folder.parent / "infra.tfkit.json"
    assert beside(Path("infra/")) == Path("infra.tfkit.json")
    monkeypatch.chdir(folder / "modules")
    assert beside(Path("..")) == folder.parent / "infra.tfkit.json"
    monkeypatch.chdir(folder)
    assert beside(Path()) == folder.parent / "infra.tfkit.json"
    beside(folder).write_bytes(signed())
    assert is_statement(beside(folder)) and not is_statement(folder / "main.tf")
    assert not is_statement(folder / "nowhere")


def test_a_folder_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_folder(tmp_path / "nowhere")


HOME = {
    ".gitignore": "*.log\nbuild/\n*.auto.tfvars\nterraform.d/\n.env\n*.pem\ntfkit-runs/\n*.tfstate*\n*.HCL\n",
    ".github/workflows/ci.yml": "x",
    ".env": "x",
    "debug.log": "x",
    "build/a/out.txt": "x",
    "server.pem": "x",
    "tfkit-runs/run/main.txt": "x",
    "modules/a/.tflint.hcl": "x",
}


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)


def sent(tree: Tree = TREE) -> bytes:
    """The statement of a run that started from a folder and came to this tree."""
    return statement.sign(Kms(), ARN, made("sha256:" + "0" * 64, files=tree.entries))


def at_home(folder: Path) -> bytes:
    """What a user's clone holds besides what was sent, and the statement of a run that started from it."""
    git(folder, "init", "-q")
    for path, content in HOME.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    git(folder, "add", "-A")
    return sent()


def test_what_git_ignores_and_what_sets_up_tools_is_named_and_not_refused(folder: Path) -> None:
    body = at_home(folder)
    verdict = held(folder, body)
    assert verdict.ok, verdict
    assert (verdict.uncompared, verdict.tree) == (sorted(HOME), TREE.hash)
    assert verdict.left_out == sorted([".git", *HOME])
    # A run that was given no folder knows of no such files.
    strict = held(folder)
    assert not strict.ok and strict.added == sorted(HOME) and strict.uncompared == []


def test_where_git_has_no_answer_what_it_may_ignore_counts(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = at_home(folder)
    monkeypatch.setenv("PATH", "/nonexistent")
    set_up = {".gitignore", ".github/workflows/ci.yml", "modules/a/.tflint.hcl"}
    assert held(folder, body).added == sorted(HOME.keys() - set_up)


@pytest.mark.parametrize(
    "path",
    [
        "x.auto.tfvars",  # git ignores it, and terraform reads it
        "terraform.d/plugins/p",
        "terraform.tfstate",  # `terraform init` gets the providers that it names
        "terraform.tfstate.backup",
        "terraform.tfstate.d/prod/x.log",
        ".terraform.lock.HCL",  # the lock file, on a disk that does not tell them apart
        ".hidden.tf",
        "build/main.tf",
        "modules/a/.terraform/modules/modules.json",
        "notes.md",  # it would have gone
        "scripts/run.sh",
        "credentials.json",  # it would have stayed home, and git says nothing of it
        "zz_tfkit.json",
        ".hidden.json",
        "modules/.github/x.json",
        "src/.gitignore",  # no module: the code of a function, say
    ],
)
def test_what_terraform_reads_and_what_git_does_not_ignore_is_refused_all_the_same(
    folder: Path, path: str
) -> None:
    body = at_home(folder)
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text("x")
    verdict = held(folder, body)
    assert (verdict.added, verdict.missing, verdict.changed) == ([path], [], [])


def test_what_git_tracks_counts_whatever_a_rule_says(folder: Path) -> None:
    body = at_home(folder)
    for path in ("policy.log", ".env"):
        (folder / path).write_text("x")
        git(folder, "add", "-f", path)
    assert held(folder, body).added == [".env", "policy.log"]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("main.tf", b'locals { x = fileset(path.module, "**") }\n'),
        ("main.tf", b'data "archive_file" "a" { source_dir = path.module }\n'),
        ("main.tf", b'locals { x = try(file(".gitignore"), "") }\n'),
        ("main.tf", b'resource "x_bundle" "a" { source = path.module }\n'),
        ("main.tf", b'resource "x_bundle" "a" { source = "${path.module}" }\n'),
        ("main.tf", b'resource "x_bundle" "a" { source = "./" }\n'),
        ("main.tf", b'resource "x" "a" {\n  provisioner "local-exec" {\n  }\n}\n'),
        ("main.tf.json", b'{"data": {"archive_file": {"a": {"source_dir": "x"}}}}\n'),
        ("page.tftpl", b'${join(",", fileset(".", "*"))}'),
        ("README.md", b'${join(",", fileset(".", "*"))}'),
    ],
)
def test_code_that_may_read_what_sets_up_tools_has_it_compared(
    folder: Path, path: str, content: bytes
) -> None:
    tree = Tree(files={"main.tf": b'locals { x = templatefile("README.md", {}) }\n', path: content})
    shutil.rmtree(folder)
    folder.mkdir()
    for name, text in tree.files.items():
        (folder / name).write_bytes(text)
    git(folder, "init", "-q")
    (folder / ".gitignore").write_text("*.log\n")
    assert held(folder, sent(tree)).added == [".gitignore"]
    (folder / ".gitignore").unlink()
    assert held(folder, sent(tree)).ok


def test_a_document_that_only_speaks_of_them_changes_nothing(folder: Path) -> None:
    tree = Tree(files={**TREE.files, "README.md": b"see .gitignore and fileset\n"})
    (folder / "README.md").write_bytes(tree.files["README.md"])
    (folder / ".gitignore").write_text("*.log\n")
    assert held(folder, sent(tree)).uncompared == [".gitignore"]


def test_code_that_reads_what_it_names_does_not_read_what_sets_up_tools(folder: Path) -> None:
    code = b"""
locals {
  page = templatefile("${path.module}/page.tftpl", { url = "https://api.github.com" })
  oidc = "token.actions.githubusercontent.com"
}
"""
    tree = Tree(files={**TREE.files, "main.tf": code})
    (folder / "main.tf").write_bytes(code)
    for path in (".gitignore", "modules/a/.gitignore", ".github/workflows/ci.yml"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()
    assert held(folder, sent(tree)).ok


def test_links_and_changes_are_refused_in_a_sent_folder_too(folder: Path) -> None:
    body = at_home(folder)
    (folder / ".link").symlink_to("/etc")
    (folder / ".terraform").mkdir()
    (folder / "main.tf").write_text("# changed\n")
    verdict = held(folder, body)
    assert (verdict.added, verdict.changed) == ([".link", ".terraform/"], ["main.tf"])


def test_a_statement_is_found_by_what_would_be_sent(folder: Path) -> None:
    at_home(folder)
    assert read_folder(folder).tree != TREE.hash
    assert tree_sent(read_folder(folder)) == TREE.hash
    (folder / "credentials.json").write_text("{}")
    assert tree_sent(read_folder(folder)) == TREE.hash, "it is found, and then says what was added"
    for number in range(401):
        (folder / f"{number}.tf").touch()
    assert tree_sent(read_folder(folder)) == ""
