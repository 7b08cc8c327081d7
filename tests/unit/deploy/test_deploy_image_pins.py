"""Bases by digest and downloads by hash: read, resolved, written, and never made up."""

import hashlib
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from image_publisher import Publisher, index, publishing

from toolkit.deploy.image_pins import PINS, Pins, load_pins, main, resolve_pins, write_pins
from toolkit.errors import DeployFailed, UsageError

RULESET = "cd" * 32
SUMS = f"{'0' * 64}  other.zip\n{RULESET}  tflint-ruleset-aws_linux_arm64.zip\n".encode()


@pytest.fixture
def publisher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    with publishing(tmp_path, monkeypatch) as one:
        one.image("python", "3.13", index("linux/amd64", "linux/arm64"))
        one.files |= {"/sums": SUMS, "/insights.rpm": b"the package"}
        yield one


def blank(publisher: Publisher) -> Pins:
    """Pins of each kind, one of them known, at the publisher."""
    at = f"https://{publisher.host}"
    tables = {
        "base": {
            "python": {"image": f"{publisher.host}/python", "tag": "3.13"},
            "known": {"image": "nowhere.test/known", "tag": "1", "digest": "sha256:" + "1" * 64},
        },
        "download": {
            "ruleset": {
                "url": at + "/{version}/tflint-ruleset-aws_linux_{arch}.zip",
                "version": "1.0",
                "sums": at + "/sums",
                "sha256": {"arm64": "", "amd64": "2" * 64},
            },
            "insights": {"url": at + "/insights.rpm", "sha256": {"arm64": ""}},
        },
        "providers": {"hashicorp/aws": "5.100.0"},
    }
    return msgspec.convert(tables, Pins)


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


def test_resolving_fills_in_what_is_empty_and_asks_for_nothing_else(
    publisher: Publisher, tmp_path: Path
) -> None:
    before = blank(publisher)
    after = resolve_pins(before)
    assert after.missing() == []
    digest = publisher.image("python", "3.13", index("linux/amd64", "linux/arm64"))
    assert after.base["python"].reference == f"{publisher.host}/python:3.13@{digest}"
    assert after.base["known"] == before.base["known"]
    assert after.download["ruleset"].sha256 == {"arm64": RULESET, "amd64": "2" * 64}
    assert after.download["insights"].sha256 == {"arm64": hashlib.sha256(b"the package").hexdigest()}
    write_pins(tmp_path / "pins.toml", after)
    assert load_pins(tmp_path / "pins.toml") == after
    asked = list(publisher.asked)
    assert resolve_pins(after) == after
    assert publisher.asked == asked, "asked again"


def test_where_tags_are_allowed_registries_are_not_asked(publisher: Publisher) -> None:
    after = resolve_pins(blank(publisher), allow_tags=True)
    assert after.missing(allow_tags=True) == []
    assert after.base["python"].digest == ""
    assert not [path for path in publisher.paths if path.startswith("/v2/")]


def test_a_list_of_hashes_without_the_file_or_with_something_else_is_refused(publisher: Publisher) -> None:
    publisher.files["/sums"] = b""
    with pytest.raises(DeployFailed, match="does not name tflint-ruleset-aws"):
        resolve_pins(blank(publisher))
    publisher.files["/sums"] = b"oops  tflint-ruleset-aws_linux_arm64.zip"
    with pytest.raises(DeployFailed, match="no SHA-256"):
        resolve_pins(blank(publisher))


def test_the_command_fills_in_a_file_and_leaves_it_alone_where_it_cannot(
    publisher: Publisher, tmp_path: Path
) -> None:
    file = tmp_path / "pins.toml"
    write_pins(file, blank(publisher))
    main([str(file)])
    assert load_pins(file).missing() == []
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    write_pins(file, blank(publisher))
    before = file.read_bytes()
    del publisher.files["/insights.rpm"]
    with pytest.raises(SystemExit, match=r"insights\.rpm cannot be read: the server says 404"):
        main([str(file)])
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.glob("pins.toml*")] == ["pins.toml"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('digest = "', 'digest = "sha256:abc'),
        ('tag = "3.13"', 'tag = "3.13 --x"'),
        ('image = "public.ecr.aws/lambda/python"', 'image = "python"'),
        ('"https://releases', '"http://releases'),
        ("[providers]", "[provider]"),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path: Path, old: str, new: str) -> None:
    text = PINS.read_text()
    assert old in text
    (tmp_path / "pins.toml").write_text(text.replace(old, new))
    with pytest.raises(UsageError, match=r"pins\.toml"):
        load_pins(tmp_path / "pins.toml")
