"""The statement of a run beside its folder: `DIR.tfkit.json`."""

from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.cli.options import Session

if TYPE_CHECKING:
    from toolkit.client import Client
    from toolkit.contracts import RunResult


def save_statement(run: Session, client: "Client", result: "RunResult", folder: Path) -> Path | None:
    """Put the statement of a run beside the folder of its files; None where there is none, or it has no room.

    The files are there by then, so what keeps it from being written is said and ends nothing.
    """
    from toolkit.verifying import beside, is_statement

    if result.status != "ok":
        return None
    envelope = client.statement(result.run_id)
    if envelope is None:
        return None  # of a platform that signed none yet
    target = beside(folder)
    if target.exists() and not is_statement(target):
        run.output.note(f"{target} is no statement of tfkit's, and was left as it is")
        return None
    try:
        target.write_bytes(envelope)
    except OSError as error:
        run.output.note(f"the statement was not written to {target}: {error.strerror}")
        return None
    return target
