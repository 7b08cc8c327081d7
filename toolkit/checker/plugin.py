"""The process of a validator of another distribution: `python -E -P -m toolkit.checker.plugin FOLDER`.

FOLDER holds the request and takes the answer. Whatever the validator raises, prints or yields, the answer is
findings that are sound, or one sentence that names it.
"""

import os
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import cast

import msgspec

from toolkit.checker.foreign import ANSWER, REQUEST, PluginAnswer, PluginRequest
from toolkit.checker.sound import sound_findings
from toolkit.checker.terraform import Terraform
from toolkit.checker.validator import Stage, Validator
from toolkit.contracts import CheckResult, to_json
from toolkit.errors import TfkitError


def main(folder: Path) -> None:
    """Check, and write the answer."""
    request = msgspec.json.decode((folder / REQUEST).read_bytes(), type=PluginRequest)
    answer = check(request)
    partial = folder / f"{ANSWER}.partial"
    partial.write_bytes(to_json(answer))
    partial.rename(folder / ANSWER)


def check(request: PluginRequest) -> PluginAnswer:
    """Import the validator and let it look at the stage."""
    name = request.name
    try:
        validator = cast("Validator", EntryPoint(name, request.value, "tfkit.validators").load()())
        found = validator.check(_stage(request))
        if isinstance(found, CheckResult):
            return PluginAnswer(error=f"the validator {name} gave a result in the place of findings")
        return PluginAnswer(findings=sound_findings(found, name))
    except TimeoutError as error:
        return PluginAnswer(error=str(error) or f"the validator {name} took too long")
    except TfkitError as error:
        said = error.message if name in error.message else f"{name}: {error.message}"
        return PluginAnswer(error=f"{said} ({error.hint})" if error.hint else said)
    except BaseException as error:  # noqa: BLE001 - it may raise anything, SystemExit among it
        return PluginAnswer(error=f"the validator {name} failed: {type(error).__name__}: {error}"[:2000])


def _stage(request: PluginRequest) -> Stage:
    root, private = Path(request.root), Path(request.private)
    terraform = Terraform(
        Path(request.executable),
        root,
        private,
        (private / "cli.tfrc").read_text(),
        mirrors=[Path(mirror) for mirror in request.mirrors],
        held=request.held,
    )
    return Stage(
        root=root,
        terraform=terraform,
        deadline_s=request.deadline_s,
        initialised=request.initialised,
        init=request.init,
        rehearse=request.rehearse,
        options=request.options,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    # Threads that a validator left running must not keep this process.
    os._exit(0)
