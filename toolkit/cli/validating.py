"""What `validate` and `validators` share: where the tools are, and which validators are meant."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toolkit.checker.selection import Selection
    from toolkit.settings import Settings


def use_tools(settings: "Settings") -> Path:
    """The folder of the tools, which from now on are looked for there."""
    from toolkit.checker.tools import ENVIRONMENT_NAME

    return Path(os.environ.setdefault(ENVIRONMENT_NAME, str(settings.folder / "tools")))


def selection_of(settings: "Settings", names: str | None) -> "Selection":
    """The validators that these settings choose here, or exactly those of `--validators`.

    Raises `UsageError` for a name that is unknown and for a policy file that cannot be read.
    """
    from toolkit.checker.registry import load_validators, selected
    from toolkit.checker.rule_files import with_rules
    from toolkit.checker.selection import Choice, parse_names

    use_tools(settings)
    choice = Choice(
        named=parse_names(names) if names is not None else (),
        settings=with_rules(settings.validators, Path.cwd()),
    )
    selection = selected(choice)
    load_validators(selection.names)
    return selection
