"""Bases by digest and downloads by hash: read, resolved, written, and never made up."""

import hashlib
import json
from pathlib import Path

import msgspec
import pytest

from toolkit.deploy.image_pins import PINS, Pins, load_pins, resolve_pins, write_pins
from toolkit.errors import DeployFailed, UsageError

DIGEST = "sha256:" + "ab" * 32
RULESET = "cd" * 32


def manifest(*architectures: str, digest: str = DIGEST) -> str:
    listed = [{"platform": {"os": "linux", "architecture": one}} for one in architectures]
    return json.dumps({"schemaVersion": 2, "digest": digest, "manifests": listed})


def read(url: str) -> bytes:
    if url.endswith("checksums.txt"):
        return f"{'0' * 64}  other.zip\n{RULESET}  tflint-ruleset-aws_linux_arm64.zip\n".encode()
    assert url.endswith(".rpm"), url
    return b"the package"


def both(_arguments: list[str]) -> str:
    return manifest("amd64", "arm64")


def test_what_ships_says_what_it_does_not_know_and_has_only_whole_hashes() -> None:
    pins = load_pins()
    assert {base.image.split("/")[0] for base in pins.base.values()} == {"public.ecr.aws"}
    assert pins.download["terraform"].sha256.keys() == {"amd64", "arm64"}
    assert not [one for one in pins.missing() if "releases.hashicorp.com" in one]
    for name, value in pins.build_args().items():
        assert name.endswith("_BASE") or "#sha256=" in value


def test_missing_names_bases_and_files_and_tags_may_be_allowed() -> None:
    blank = msgspec.convert(
        {
            "base": {"x": {"image": "public.ecr.aws/x", "tag": "1"}},
            "download": {"y": {"url": "https://h/{arch}.zip", "sha256": {"arm64": ""}}},
            "providers": {},
        },
        Pins,
    )
    assert blank.missing() == ["public.ecr.aws/x:1", "https://h/arm64.zip"]
    assert blank.missing(allow_tags=True) == ["https://h/arm64.zip"]


def test_resolving_fills_in_what_is_empty_and_asks_for_nothing_else(tmp_path: Path) -> None:
    asked: list[list[str]] = []

    def docker(arguments: list[str]) -> str:
        asked.append(arguments)
        return both(arguments)

    before = load_pins()
    after = resolve_pins(before, docker, read)
    assert after.missing() == []
    assert all(arguments[:3] == ["buildx", "imagetools", "inspect"] for arguments in asked)
    assert after.base["lambda_python"].reference == f"public.ecr.aws/lambda/python:3.13@{DIGEST}"
    assert after.download["terraform"] == before.download["terraform"]
    assert after.download["tflint_ruleset_aws"].sha256 == {"arm64": RULESET}
    assert after.download["insights"].sha256 == {"arm64": hashlib.sha256(b"the package").hexdigest()}
    write_pins(tmp_path / "pins.toml", after)
    assert load_pins(tmp_path / "pins.toml") == after

    def nobody(_: object) -> str:
        raise AssertionError("asked again")

    assert resolve_pins(after, nobody, lambda url: nobody(url).encode()) == after


@pytest.mark.parametrize(
    "answer", [manifest("amd64"), manifest("amd64", "arm64", digest="latest"), "no json", "[]", "{}"]
)
def test_an_answer_that_is_no_image_for_both_architectures_is_refused(answer: str) -> None:
    blank = {name: msgspec.structs.replace(base, digest="") for name, base in load_pins().base.items()}
    with pytest.raises(DeployFailed, match=r"public\.ecr\.aws"):
        resolve_pins(msgspec.structs.replace(load_pins(), base=blank), lambda _: answer, read)


def test_a_list_of_hashes_without_the_file_is_refused() -> None:
    with pytest.raises(DeployFailed, match="does not name tflint-ruleset-aws"):
        resolve_pins(_without_ruleset(), both, lambda _url: b"")


def test_a_list_of_hashes_with_something_else_is_refused() -> None:
    with pytest.raises(DeployFailed, match="no SHA-256"):
        resolve_pins(_without_ruleset(), both, lambda _url: b"oops  tflint-ruleset-aws_linux_arm64.zip")


def _without_ruleset() -> Pins:
    pins = load_pins()
    blank = msgspec.structs.replace(pins.download["tflint_ruleset_aws"], sha256={"arm64": ""})
    return msgspec.structs.replace(pins, download={**pins.download, "tflint_ruleset_aws": blank})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('digest = ""', 'digest = "sha256:abc"'),
        ('tag = "3.13"', 'tag = "3.13 --x"'),
        ('"https://releases', '"http://releases'),
        ("[providers]", "[provider]"),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path: Path, old: str, new: str) -> None:
    text = PINS.read_text()
    if old not in text:
        pytest.skip("pinned by now")
    (tmp_path / "pins.toml").write_text(text.replace(old, new))
    with pytest.raises(UsageError, match=r"pins\.toml"):
        load_pins(tmp_path / "pins.toml")
