"""What Tab offers for a word that only this machine can know: runs, models, stacks.

Read from the files of the stack's folder alone. Nothing is asked of a cloud, started or written, and what
cannot be read is offered nothing for: a Tab is no place for an error.
"""

import contextlib
import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import click
from typing_extensions import override

if TYPE_CHECKING:
    from pathlib import Path

    from click.shell_completion import CompletionItem

NEWEST = 50
"""How many runs are offered; what is older is found by `tfkit runs` and `tfkit traces`."""


class Place(NamedTuple):
    """Which stack's files to look at."""

    home: "Path"
    target: str
    stack: str

    @property
    def folders(self) -> "list[Path]":
        """What this machine keeps of the stack: on the aws target, of each account."""
        above = [self.home / "local"] if self.target == "local" else sorted((self.home / "aws").glob("*"))
        return [folder / self.stack for folder in above]


def place(flags: Mapping[str, str], environment: Mapping[str, str], cwd: "Path") -> Place:
    """Where `toolkit.settings.load` would find the stack, in a tenth of its time; a test compares them."""

    def said(name: str, otherwise: str) -> str:
        return flags.get(name) or environment.get(f"TFKIT_{name.upper()}") or file.get(name) or otherwise

    file = _file(cwd / "tfkit.toml")
    return Place(_home(said("home", "")), said("target", "local"), said("stack", "dev"))


def _file(path: "Path") -> dict[str, str]:
    if not path.exists():
        return {}
    import tomllib

    return tomllib.loads(path.read_text("utf-8"))


def _home(said: str) -> "Path":
    from pathlib import Path  # here as below: `--help` does without

    if said:
        return Path(said).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_data_dir("tfkit", appauthor=False))


class Known(click.types.StringParamType):
    """A text like any other, of which this machine knows some values."""

    def __init__(self, values: Callable[[Place], Iterable[str]]) -> None:
        self._values = values

    @override
    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> "list[CompletionItem[str]]":
        """The values that begin so, in the order in which one would want them."""
        from pathlib import Path

        from click.shell_completion import CompletionItem

        try:
            here = place(ctx.find_root().obj or {}, os.environ, Path.cwd())
            known = list(dict.fromkeys(self._values(here)))
        except Exception:  # noqa: BLE001 - see above
            return []
        return [CompletionItem(value) for value in known if value.startswith(incomplete)]


def runs(here: Place) -> Iterable[str]:
    """The newest runs that `traces` has read, then those whose files lie here."""
    import sqlite3
    from pathlib import Path

    for folder in here.folders:
        address = (folder / "traces.sqlite").absolute().as_uri()
        with (
            contextlib.suppress(sqlite3.Error),
            contextlib.closing(sqlite3.connect(f"{address}?mode=ro", uri=True, timeout=0.1)) as index,
        ):
            found = index.execute("SELECT run_id FROM run ORDER BY start_ns DESC LIMIT ?", (NEWEST,))
            yield from (str(row[0]) for row in found)
    fetched = [path for path in Path("tfkit-runs").glob("*") if path.is_dir()]
    yield from (path.name for path in sorted(fetched, reverse=True)[:NEWEST])


def models(here: Place) -> Iterable[str]:
    """Those of the registry as this machine last saw it."""
    import json

    for folder in here.folders:
        with contextlib.suppress(OSError, ValueError, KeyError):
            yield from sorted(json.loads((folder / "config.json").read_bytes())["registry"]["models"])


def stacks(here: Place) -> Iterable[str]:
    """Those that this machine has a folder of."""
    found = [path for folder in here.folders for path in folder.parent.glob("*") if path.is_dir()]
    yield from sorted(path.name for path in found)


RUN, MODEL, STACK = Known(runs), Known(models), Known(stacks)

BY_PARAMETER = {
    **dict.fromkeys(("run_id", "run_ids", "earlier"), RUN),
    **dict.fromkeys(("model", "models", "judge_model", "fallbacks"), MODEL),
    "stack": STACK,
}
BY_COMMAND = {("check", "names"): MODEL, ("default", "name"): MODEL, ("remove", "name"): MODEL}
CHOSEN_ANEW = "--run-id"
"""The one option that names a run which is not there yet."""


def with_completion(command: click.Command) -> None:
    """Have the parameters of a command that name a run, a model or a stack offer what is known.

    A table of names, so that no command has to think of it; a test says which parameters it finds.
    """
    for parameter in command.params:
        name = parameter.name or ""
        known = BY_COMMAND.get((command.name or "", name)) or BY_PARAMETER.get(name)
        if known and parameter.type is click.STRING and CHOSEN_ANEW not in parameter.opts:
            parameter.type = known
