"""The plugin interface: what a validator is, and what it is handed.

A validator enters by the entry-point group `tfkit.validators`, whose value is a class without
constructor arguments. tfkit's own validators use the same door.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec

from toolkit.checker.terraform import Terraform
from toolkit.checker.throwaway import Throwaway
from toolkit.contracts import CheckResult, Finding, RehearseDepth, Shape, Tool, Tree
from toolkit.errors import UsageError

Options = TypeVar("Options", bound=Shape)


class Stage(Shape, frozen=True, kw_only=True):
    """What a validator may look at: a clean copy of the tree, and terraform to run on it.

    `root` holds regular files only; a validator must not change it. `deadline_s` is how long it may take.
    `initialised` says whether `terraform init` went well on this tree; `init` is how it ended, with the
    findings that a validator which needs it shows in its own place. `options` are the validator's own, as
    they stand under `[validators.NAME.options]` in `tfkit.toml`. `tree` is what `root` was made from,
    `beside` are the names of all validators that look at it, `throwaway` is an emulator to rehearse on.
    `on_plan` gets the plan of a rehearsal, as `terraform show -json` prints it, as soon as there is one.
    """

    root: Path
    terraform: Terraform
    deadline_s: float
    initialised: bool
    init: CheckResult | None = None
    rehearse: RehearseDepth = "off"
    options: dict[str, Any] = {}
    tree: Tree = Tree()
    beside: tuple[str, ...] = ()
    throwaway: Throwaway | None = None
    on_plan: Callable[[dict[str, Any]], None] | None = None

    def options_as(self, shape: type[Options]) -> Options:
        """The options in a shape of the validator's. Raises `UsageError` that names what does not fit."""
        try:
            return msgspec.convert(self.options, shape)
        except msgspec.ValidationError as error:
            raise UsageError(f"its options cannot be used: {error}", "change them in tfkit.toml") from error


class Validator(Protocol):
    """Looks at a staged tree and yields findings. `name` is unique and is what `--validators` takes."""

    name: str

    def tool(self) -> Tool | None:
        """The tool and version that will be used, or None where it is not installed."""
        ...

    def check(self, stage: Stage) -> Iterable[Finding] | CheckResult:
        """Yield findings; raise `ToolMissing` without the tool, `TimeoutError` past the deadline.

        One that comes with tfkit may return a whole result where there is more to say than findings.
        """
        ...
