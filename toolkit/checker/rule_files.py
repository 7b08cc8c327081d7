"""The policy file of a team, read where the settings are read, so that its rules travel with them."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from toolkit.checker.selection import ValidatorSettings
from toolkit.errors import UsageError

NAME = "policy"
FILE = "tfkit-policy.toml"


def with_rules(settings: Mapping[str, ValidatorSettings], folder: Path) -> dict[str, ValidatorSettings]:
    """The settings, with the content of the policy file in the options of `policy`.

    The file is `options.file` of `[validators.policy]`, or `tfkit-policy.toml` in the folder, whose presence
    is enough. Raises `UsageError` for a file that is named and missing, or that is no TOML.
    """
    found = dict(settings)
    own = settings.get(NAME, ValidatorSettings())
    named = own.options.get("file")
    if "rules" in own.options or (named is None and not (folder / FILE).is_file()):
        return found
    if not isinstance(named, str | None):
        raise UsageError("file of [validators.policy.options] is no text", "name a TOML file")
    path = folder / (named or FILE)
    try:
        rules = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"the policy {path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"the policy {path} is not valid TOML: {error}") from error
    options = {key: value for key, value in own.options.items() if key != "file"}
    found[NAME] = msgspec.structs.replace(own, options={**options, "rules": rules})
    return found
