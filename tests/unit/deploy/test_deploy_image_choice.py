"""Pins that the package leaves open are filled in once, kept, and never shadow a later package."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from image_publisher import Publisher, index, publishing

from toolkit.deploy import image_choice
from toolkit.deploy.image_choice import OWN_PINS, image_options, open_pins, pin, pins_file
from toolkit.deploy.image_pins import Pins, load_pins, write_pins
from toolkit.errors import DeployFailed, UsageError
from toolkit.settings import Settings

PINNED = "1" * 64


class Place:
    """A TFKIT_HOME, a package's pins, and the publisher that they name."""

    def __init__(self, publisher: Publisher, package: Path, home: Path) -> None:
        self.publisher = publisher
        self.package = package
        self.settings = Settings(home=str(home))
        self.own = home / OWN_PINS
        self.notes: list[str] = []
        self.ship()

    def ship(self, tag: str = "3.13", version: str = "1.0", sha256: str = "", tool: str = PINNED) -> None:
        """The package's own pins, of another version of it."""
        at = f"https://{self.publisher.host}"
        tables = {
            "base": {"python": {"image": f"{self.publisher.host}/python", "tag": tag}},
            "download": {
                "tool": {"url": at + "/tool.zip", "version": "1", "sha256": {"arm64": tool}},
                "rules": {
                    "url": at + "/rules-{version}.zip",
                    "version": version,
                    "sha256": {"arm64": sha256},
                },
            },
            "providers": {"hashicorp/aws": "5.100.0"},
        }
        write_pins(self.package, msgspec.convert(tables, Pins))

    def pin(self) -> Pins:
        pin(self.settings, self.notes.append)
        return load_pins(pins_file(self.settings))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setattr(image_choice, "PINS", tmp_path / "bases.toml")
    with publishing(tmp_path, monkeypatch) as publisher:
        publisher.image("python", "3.13", index("linux/amd64", "linux/arm64"))
        publisher.image("python", "3.14", index("linux/arm64", "linux/amd64"))
        publisher.files |= {"/rules-1.0.zip": b"one", "/rules-2.0.zip": b"two"}
        yield Place(publisher, tmp_path / "bases.toml", tmp_path / "home")


def test_the_first_use_asks_says_so_and_keeps_it(place: Place) -> None:
    assert len(open_pins(place.settings)) == 2
    pins = place.pin()
    assert open_pins(place.settings) == []
    assert image_options(place.settings).pins == place.own
    assert pins.download["tool"].sha256 == {"arm64": PINNED}
    asking, kept = place.notes
    assert f"{place.publisher.host}/python:3.13" in asking
    assert "/rules-1.0.zip" in asking
    assert "/tool.zip" not in asking
    assert str(place.own) in kept
    assert "image_pins" in kept
    before, asked = place.own.read_bytes(), len(place.publisher.asked)
    place.pin()
    assert (place.own.read_bytes(), len(place.publisher.asked), len(place.notes)) == (before, asked, 2)


def test_what_a_publisher_replaces_later_does_not_change_what_is_kept(place: Place) -> None:
    first = place.pin()
    place.publisher.image("python", "3.13", index("linux/arm64", "linux/amd64"))
    place.publisher.files["/rules-1.0.zip"] = b"another"
    assert place.pin() == first


@pytest.mark.parametrize(
    ("shipped", "asked"), [({"tag": "3.14"}, "python"), ({"version": "2.0"}, "rules-2.0")]
)
def test_a_later_package_with_another_tag_or_version_is_not_shadowed(
    place: Place, shipped: dict[str, str], asked: str
) -> None:
    first = place.pin()
    place.ship(**shipped)
    assert len(open_pins(place.settings)) == 2, "the package's, because the own file speaks of an earlier one"
    place.notes.clear()
    second = place.pin()
    assert asked in place.notes[0]
    assert place.notes[0].count(place.publisher.host) == 1, "only what changed is asked for again"
    changed, same = ("base", "download") if "tag" in shipped else ("download", "base")
    assert getattr(second, same) == getattr(first, same)
    assert getattr(second, changed) != getattr(first, changed)


def test_what_a_later_package_pins_itself_holds_and_needs_no_network(place: Place) -> None:
    place.pin()
    place.publisher.asked.clear()
    place.ship(sha256="5" * 64, tool="6" * 64)
    pins = place.pin()
    assert pins.download["rules"].sha256 == {"arm64": "5" * 64}
    assert pins.download["tool"].sha256 == {"arm64": "6" * 64}
    assert pins.base["python"].digest
    assert (place.publisher.asked, len(place.notes)) == ([], 2)


def test_a_hash_that_was_emptied_by_hand_is_asked_for_again(place: Place) -> None:
    first = place.pin()
    place.own.write_text(place.own.read_text().replace(first.download["rules"].sha256["arm64"], ""))
    assert open_pins(place.settings) == [f"https://{place.publisher.host}/rules-1.0.zip"]
    assert place.pin() == first


def test_a_file_that_the_settings_name_is_left_as_it_is(place: Place, tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_bytes(place.package.read_bytes())
    place.pin()
    settings = msgspec.structs.replace(place.settings, image_pins=str(mine))
    asked = len(place.publisher.asked)
    pin(settings, place.notes.append)
    assert pins_file(settings) == mine
    assert mine.read_bytes() == place.package.read_bytes()
    assert len(open_pins(settings)) == 2
    assert len(place.publisher.asked) == asked


def test_allowed_tags_stay_tags(place: Place) -> None:
    place.settings = msgspec.structs.replace(place.settings, image_allow_tags=True)
    pins = place.pin()
    assert pins.base["python"].digest == ""
    assert open_pins(place.settings) == []
    assert "python:3.13" not in place.notes[0]


def test_without_a_network_nothing_is_written_and_the_next_step_is_named(place: Place) -> None:
    text = place.package.read_text().replace(place.publisher.host, "127.0.0.1:1")
    place.package.write_text(text)
    with pytest.raises(DeployFailed, match="cannot be read") as failed:
        place.pin()
    assert "image_pins" in failed.value.hint
    assert not place.own.exists()
    assert pins_file(place.settings) == place.package


def test_an_own_file_that_cannot_be_read_says_what_to_do(place: Place) -> None:
    place.pin()
    place.own.write_text("[base")
    with pytest.raises(UsageError, match=OWN_PINS) as refused:
        place.pin()
    assert f"remove {place.own}" in refused.value.hint
