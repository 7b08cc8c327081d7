"""The image that the settings ask for, with every pin that the package leaves open filled in.

    the package's bases.toml ──pin: once, at the first `up`──▶ TFKIT_HOME/image-pins.toml ──▶ image_options

A file that the setting `image_pins` names takes the place of both. What the package itself pins always comes
from the package: a later version's other tags and addresses are never hidden by a file of an earlier one.
"""

from collections.abc import Callable
from pathlib import Path

import msgspec

from toolkit.deploy.image_context import ImageOptions
from toolkit.deploy.image_pins import PINS, Base, Download, Pins, load_pins, resolve_pins, write_pins
from toolkit.errors import UsageError
from toolkit.settings import Settings

OWN_PINS = "image-pins.toml"
"""Below TFKIT_HOME: the package's pins with what was open in them filled in; see `pin`."""


def image_options(settings: Settings) -> ImageOptions:
    """What the settings say of the image."""
    return ImageOptions(
        plugins=tuple(settings.image_plugins),
        providers=settings.image_providers,
        pins=pins_file(settings),
        allow_tags=settings.image_allow_tags,
    )


def pins_file(settings: Settings) -> Path:
    """The file that is used: the one that is named, else this machine's own, else the package's.

    This machine's own counts as long as it says the same as the package, and more.
    Raises `UsageError` where it cannot be read.
    """
    if settings.image_pins:
        return Path(settings.image_pins).expanduser()
    own = settings.folder / OWN_PINS
    if own.exists() and merged(load_pins(PINS), _own(own)) == _own(own):
        return own
    return PINS


def open_pins(settings: Settings) -> list[str]:
    """What the image is made from and is not pinned; empty where it can be built."""
    return load_pins(pins_file(settings)).missing(settings.image_allow_tags)


def pin(settings: Settings, note: Callable[[str], None]) -> None:
    """Fill in what the package leaves open, once, in a file below TFKIT_HOME, and say so with `note`.

    Trust on first use: whatever the publishers say over TLS at that moment holds from then on. A file that
    the settings name is the user's and is left as it is. Raises `DeployFailed` where a publisher cannot be
    asked, with nothing written.
    """
    if settings.image_pins or not open_pins(settings):
        return
    own = settings.folder / OWN_PINS
    pins = merged(load_pins(PINS), _own(own)) if own.exists() else load_pins(PINS)
    asked = pins.missing(settings.image_allow_tags)
    if asked:
        note(f"asking the publishers, over TLS, for the content of {', '.join(asked)}")
    write_pins(own, resolve_pins(pins, settings.image_allow_tags))
    if asked:
        note(
            f"what they say is kept in {own} and holds from now on: look at it."
            " To build the same image elsewhere, commit a copy and name it with the setting image_pins"
        )


def merged(package: Pins, own: Pins) -> Pins:
    """The package's pins; what is open there comes from `own`, where that speaks of the same thing."""
    bases = {name: _base(base, own.base.get(name)) for name, base in package.base.items()}
    files = {name: _download(one, own.download.get(name)) for name, one in package.download.items()}
    return msgspec.structs.replace(package, base=bases, download=files)


def _base(base: Base, own: Base | None) -> Base:
    same = own is not None and (own.image, own.tag) == (base.image, base.tag)
    return own if own is not None and same and not base.digest else base


def _download(one: Download, own: Download | None) -> Download:
    if own is None or (own.url, own.version, own.sums) != (one.url, one.version, one.sums):
        return one
    known = {arch: value or own.sha256.get(arch, "") for arch, value in one.sha256.items()}
    return msgspec.structs.replace(one, sha256=known)


def _own(path: Path) -> Pins:
    try:
        return load_pins(path)
    except UsageError as wrong:
        raise UsageError(wrong.message, f"remove {path}; the next `tfkit up` makes it again") from wrong
