"""Which pull request belongs to which run: a small file a run, in the folder of the stack."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from toolkit.contracts import RUN_ID, Shape

FOLDER = "pulls"


class Recorded(Shape, frozen=True):
    """The pull request that a run opened, or put a commit onto. `repository` is `host/owner/name`.

    `commented` says that the run's account and statement stand there.
    """

    run_id: str
    repository: str
    branch: str
    base: str
    number: int
    url: str
    commit: str
    commented: bool = True


def remember(stack_folder: Path, one: Recorded) -> None:
    """Write it down; what an earlier try of the same run wrote is replaced."""
    folder = stack_folder / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{one.run_id}.json"
    temporary = target.with_suffix(".new")
    temporary.write_bytes(msgspec.json.encode(one))
    temporary.replace(target)


def earlier(stack_folder: Path, run_ids: Iterable[str]) -> Recorded | None:
    """The pull request of the first of these runs that has one; the newest is asked first."""
    for run_id in run_ids:
        if RUN_ID.fullmatch(run_id):
            try:
                content = (stack_folder / FOLDER / f"{run_id}.json").read_bytes()
                return msgspec.json.decode(content, type=Recorded)
            except (OSError, msgspec.MsgspecError):
                continue
    return None
