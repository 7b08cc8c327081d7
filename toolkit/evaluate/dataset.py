"""Reads a dataset: IaC-Eval's CSV, a YAML of our own, or the starter set that comes with tfkit.

    tasks:                                      # YAML
      - id: queue-with-dlq
        difficulty: easy
        prompt: an SQS queue with a dead-letter queue
        files: {main.tf: "…"}                   # to start from, if any
        reference: {main.tf: "…"}               # for --oracle, if any
        expect: {resources: {aws_sqs_queue: 2}} # see `task.Expected`

Decoding is strict: what is misspelt is an error that names the task and the field, never a task without
expectations.
"""

import csv
import hashlib
import io
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from toolkit.contracts import Shape
from toolkit.errors import UsageError
from toolkit.evaluate.task import Dataset, Expected, Task

STARTER = "starter"
"""The name of the set that comes with tfkit."""

MAX_BYTES = 64 * 1024 * 1024

COLUMNS = ("Resource", "Prompt", "Rego intent", "Difficulty", "Reference output", "Intent")
"""https://huggingface.co/datasets/autoiac-project/iac-eval; `Reference output` may be empty."""

_NEEDED = ("Prompt", "Rego intent", "Difficulty")


class _Document(Shape, frozen=True):
    tasks: list[dict[str, Any]]
    name: str = ""


def load_dataset(source: str) -> Dataset:
    """The dataset of this name or path. Raises `UsageError` that says what of it cannot be used."""
    path = Path(str(files("toolkit.evaluate") / "starter.yaml")) if source == STARTER else Path(source)
    try:
        content = path.read_bytes()
    except OSError as error:
        hint = f"name a .csv or .yaml file, or `{STARTER}`"
        raise UsageError(f"the dataset {source} cannot be read: {error.strerror}", hint) from error
    if len(content) > MAX_BYTES:
        raise UsageError(f"the dataset {source} is larger than {MAX_BYTES} bytes", "take a part of it")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"the dataset {source} is not UTF-8: {error}", "save it as UTF-8") from error
    reader = {".csv": _from_csv, ".yaml": _from_yaml, ".yml": _from_yaml}.get(path.suffix.lower())
    if reader is None:
        raise UsageError(f"{source} is neither .csv nor .yaml", "see `tfkit eval --help` for the formats")
    tasks = list(reader(text, source))
    _refuse_unusable(tasks, source)
    return Dataset(name=path.stem, sha256=hashlib.sha256(content).hexdigest(), tasks=tasks)


def chosen(dataset: Dataset, only: str | None, limit: int | None) -> list[Task]:
    """The tasks that are meant, by their ids (`a,b`) and how many. Raises `UsageError` for an unknown id."""
    tasks = dataset.tasks
    if only is not None:
        names = {name.strip() for name in only.split(",") if name.strip()}
        unknown = sorted(names - {task.id for task in tasks})
        if unknown or not names:
            known = ", ".join(task.id for task in tasks[:8])
            said = ", ".join(unknown) or repr(only)
            raise UsageError(f"no task is called {said}", f"known are: {known} …")
        tasks = [task for task in tasks if task.id in names]
    return tasks[:limit]


def _refuse_unusable(tasks: list[Task], source: str) -> None:
    if not tasks:
        raise UsageError(f"{source} holds no tasks", "a dataset has one at least")
    seen: set[str] = set()
    for task in tasks:
        if task.id in seen:
            raise UsageError(f"{source}: two tasks are called {task.id}", "ids are unique")
        seen.add(task.id)


def _from_csv(text: str, source: str) -> Iterator[Task]:
    csv.field_size_limit(min(sys.maxsize, MAX_BYTES))
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    missing = [name for name in _NEEDED if name not in (rows.fieldnames or ())]
    if missing:
        raise UsageError(
            f"{source} has no column {', '.join(missing)}", f"the columns are: {', '.join(COLUMNS)}"
        )
    try:
        for number, row in enumerate(rows, 1):
            yield _row(row, number, source)
    except csv.Error as error:
        raise UsageError(f"{source}, line {rows.line_num}: {error}", "it is no CSV") from error


def _row(row: dict[str, str | None], number: int, source: str) -> Task:
    values = {name: (row.get(name) or "").strip("\r\n") for name in COLUMNS}
    for name in _NEEDED:
        if not values[name].strip():
            raise UsageError(f"{source}, task {number}: {name} is empty", "each task has one")
    reference = values["Reference output"]
    return Task(
        id=f"{number:03d}",
        prompt=values["Prompt"],
        difficulty=values["Difficulty"].strip(),
        expect=Expected(rego=values["Rego intent"]),
        reference={"main.tf": reference} if reference.strip() else {},
    )


def _from_yaml(text: str, source: str) -> Iterator[Task]:
    import yaml

    try:
        document = msgspec.convert(yaml.safe_load(text), _Document)
    except (yaml.YAMLError, msgspec.ValidationError, RecursionError) as error:
        raise UsageError(
            f"{source}: {' '.join(str(error).split())}", "see docs: tfkit eval --help"
        ) from error
    for number, plain in enumerate(document.tasks, 1):
        name = plain.get("id", "")
        try:
            task = msgspec.convert(plain, Task)
        except msgspec.ValidationError as error:
            raise UsageError(
                f"{source}, task {number} ({name or 'without id'}): {error}", "mend this field"
            ) from error
        _refuse_meaningless(task, source)
        yield task


def _refuse_meaningless(task: Task, source: str) -> None:
    """An expectation that says nothing would be met by everything."""
    for wanted in task.expect.attributes:
        said = (wanted.one_of, wanted.at_least, wanted.at_most, wanted.matches, wanted.present)
        if wanted.equals is msgspec.UNSET and all(one is None for one in said):
            raise UsageError(
                f"{source}, task {task.id}: nothing is expected of {wanted.resource}.{wanted.path}",
                "say equals, one_of, at_least, at_most, matches or present",
            )
    _refuse_uncompiled(task, source)


def _refuse_uncompiled(task: Task, source: str) -> None:
    import re

    import jmespath
    from jmespath.exceptions import JMESPathError

    wanted = task.expect.attributes
    try:
        for query in (*task.expect.jmespath, *(one.path for one in wanted)):
            jmespath.compile(query)
        for one in wanted:
            re.compile(one.matches or "")
    except (JMESPathError, re.error) as error:
        raise UsageError(f"{source}, task {task.id}: {error}", "mend this expression") from error
