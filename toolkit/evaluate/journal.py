"""The results of an evaluation as JSON lines: written as they come, read again to go on.

The first line says what was evaluated, every other one that a task was begun, or what came of it. The last
word on a task counts; a last line that was cut off by a kill counts for nothing.
"""

import os
import threading
from collections.abc import Iterable
from pathlib import Path

import msgspec

from toolkit.contracts import RehearseDepth, Shape, Tool, to_json
from toolkit.errors import UsageError
from toolkit.evaluate.task import Outcome


class Begun(Shape, frozen=True):
    """By which run a task is being answered."""

    begun: str
    task: str


_BEGUN = b'{"begun":'


class Header(Shape, frozen=True):
    """What an evaluation is of. `id` tells it from others; `author` is `agent`, `local-agent` or `reference`.

    `tools` are the judge's. `timeout_s` and `max_cost_usd` are of each run.
    """

    v: int
    id: str
    dataset: str
    sha256: str
    author: str
    model: str
    version: str
    started: str
    tools: list[Tool] = []
    rehearse: RehearseDepth = "plan"
    timeout_s: float = 0.0
    max_cost_usd: float | None = None

    def same_as(self, other: "Header") -> str:
        """What makes the other one another evaluation; empty where it may go on in the same file."""
        for name in ("sha256", "author", "model", "rehearse", "timeout_s", "max_cost_usd"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine != theirs:
                return f"its {'dataset' if name == 'sha256' else name} is {theirs}, and {mine} is asked for"
        return ""


class Journal:
    """One file of results. Methods may be called from several threads."""

    def __init__(self, path: Path, header: Header, lines: Iterable[Outcome | Begun] = ()) -> None:
        self.path = path
        self.header = header
        self._outcomes: dict[str, Outcome] = {}
        self._begun: dict[str, str] = {}
        for line in lines:
            if isinstance(line, Begun):
                self._begun[line.task] = line.begun
            else:
                self._outcomes[line.task] = line
                self._begun.pop(line.task, None)
        self._writing = threading.Lock()

    @classmethod
    def begin(cls, path: Path, header: Header) -> "Journal":
        """The journal at this path: a new one, or the same evaluation's, which goes on.

        Raises `UsageError` where the file holds another evaluation or something else.
        """
        if path.exists() and path.stat().st_size:
            journal = cls.read(path)
            if other := header.same_as(journal.header):
                raise UsageError(f"{path} holds another evaluation: {other}", "choose another file: -o FILE")
            _drop_torn_end(path)
            return journal
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        journal = cls(path, header)
        journal._append(to_json(header))
        return journal

    @classmethod
    def read(cls, path: Path) -> "Journal":
        """The journal that a file holds. Raises `UsageError` where it holds none, with the line."""
        lines = path.read_bytes().split(b"\n")
        complete = lines[:-1]  # what follows the last newline is nothing, or was cut off
        try:
            header = msgspec.json.decode(complete[0] if complete else b"", type=Header)
        except msgspec.MsgspecError as error:
            raise UsageError(
                f"{path} is no journal of an evaluation: {error}", "choose another file"
            ) from error
        found: list[Outcome | Begun] = []
        for number, line in enumerate(complete[1:], 2):
            try:
                kind = Begun if line.startswith(_BEGUN) else Outcome
                found.append(msgspec.json.decode(line, type=kind))
            except msgspec.MsgspecError as error:
                raise UsageError(f"{path}, line {number}: {error}", "mend or delete this line") from error
        return cls(path, header, found)

    @property
    def outcomes(self) -> list[Outcome]:
        """The last word on each task, in the order of their ids."""
        with self._writing:
            return sorted(self._outcomes.values(), key=lambda outcome: outcome.task)

    def done(self, task: str) -> bool:
        """Whether a task need not be done again."""
        with self._writing:
            known = self._outcomes.get(task)
        return known is not None and not known.failed

    def begun(self, task: str) -> str:
        """The run that was begun for a task and of which nothing is written yet; empty for none."""
        with self._writing:
            return self._begun.get(task, "")

    def begin_task(self, task: str, run_id: str) -> None:
        """Write down by which run a task is answered, before anybody asks for it."""
        with self._writing:
            self._append(to_json(Begun(task=task, begun=run_id)))
            self._begun[task] = run_id

    def add(self, outcome: Outcome) -> None:
        """Write a result down; it is on disk when this returns."""
        with self._writing:
            self._append(to_json(outcome))
            self._outcomes[outcome.task] = outcome
            self._begun.pop(outcome.task, None)

    def _append(self, line: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(line + b"\n")
            file.flush()
            os.fsync(file.fileno())


def _drop_torn_end(path: Path) -> None:
    """Take off what a kill has left of a line, so that the next one begins at its beginning."""
    content = path.read_bytes()
    if not content.endswith(b"\n"):
        with path.open("r+b") as file:
            file.truncate(content.rfind(b"\n") + 1)
