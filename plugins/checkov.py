"""The validator `checkov`: its Terraform policies, in an environment of its own.

Run with `python -I` from another folder, so that no planted module of the workspace is imported; with no
external checks and no download. It reads a `.checkov.yaml` of the folder that it checks whatever it is told,
so it gets only a staged copy, which has no such file. It ends with 0 where it could not parse a file (FACTS
§4), so what it says it has read is held against what our own reader sees.
"""

import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

from plugins.checkov_severities import DEFAULT, SEVERITIES
from toolkit.checker.hcl import Block
from toolkit.checker.process import Stopped
from toolkit.checker.sandbox import Confinement
from toolkit.checker.sources import module_files
from toolkit.checker.staging import OVERRIDE_NAME
from toolkit.checker.tokens import HclError
from toolkit.checker.tools import checkov_version, find_tool, interpreter_of, require_tool
from toolkit.checker.validator import Stage
from toolkit.contracts import Finding, Severity, Shape, Tool, Tree
from toolkit.errors import PlatformError, ToolMissing

INDEX = "https://www.checkov.io/5.Policy%20Index/terraform.html"
CONFIGURATION = (".checkov.yaml", ".checkov.yml")
CHECK_ID = re.compile(r"CKV2?_[A-Z]+_[0-9]+")


class Options(Shape, frozen=True):
    """`[validators.checkov.options]`: checks to leave out, and severities by the number of a check.

    `silenced` says what a `checkov:skip` comment is: the finding that it hides, or with `allow` only a note.
    """

    skip: list[str] = []
    severities: dict[str, Severity] = {}
    silenced: Literal["refuse", "allow"] = "refuse"


class Outcome(msgspec.Struct):
    """How a check ended; `suppress_comment` is what a `checkov:skip` comment gives as its reason."""

    result: str
    suppress_comment: str | None = None


class Check(msgspec.Struct):
    """One check on one resource, as `checkov -o json` tells it."""

    check_id: str
    check_name: str
    check_result: Outcome
    file_path: str
    file_line_range: list[int]
    resource: str
    guideline: str | None = None


class Results(msgspec.Struct):
    """The checks by how they ended, and the files that could not be parsed (absolute paths)."""

    failed_checks: list[Check] = []
    skipped_checks: list[Check] = []
    parsing_errors: list[str] = []


class Summary(msgspec.Struct):
    """The numbers of a report."""

    parsing_errors: int
    resource_count: int


class Report(msgspec.Struct):
    """What checkov says of the tree."""

    summary: Summary
    results: Results = msgspec.field(default_factory=Results)


class Checkov:
    """checkov on the whole tree."""

    name = "checkov"

    def tool(self) -> Tool | None:
        """checkov and its version; None without it, or where it cannot be isolated."""
        executable = find_tool("checkov")
        try:
            version = checkov_version(executable) if executable else ""
        except ToolMissing:
            return None
        return Tool(name="checkov", version=version) if version else None

    def check(self, stage: Stage) -> Iterable[Finding]:
        """Failed checks and silencing comments, with our severities; files that it could not read are high.

        Raises `ToolMissing` without checkov, `TimeoutError` past the deadline, `PlatformError` where it fails
        or has seen fewer resources than there are.
        """
        options = stage.options_as(Options)
        if wrong := [name for name in (*options.skip, *options.severities) if not CHECK_ID.fullmatch(name)]:
            raise PlatformError(f"{wrong[0]!r} is no check of checkov", "numbers are as CKV_AWS_18")
        if any((stage.root / name).exists() for name in CONFIGURATION):
            raise PlatformError("the stage has a configuration of checkov, which it would obey")
        tree = _tree(stage.root)
        report = _run(require_tool("checkov"), stage, options)
        unread = list(_unread(report, tree, stage.root))
        yield from unread
        if not unread and (missing := least_resources(tree) - report.summary.resource_count) > 0:
            raise PlatformError(
                f"it has seen {report.summary.resource_count} resources, {missing} fewer than there are",
                "report the tree; the gate cannot rely on checkov here",
            )
        yield from read(report, options)


def read(report: Report, options: Options) -> Iterator[Finding]:
    """The failed checks, then the silenced ones; what fails in several instances of a module is told once."""
    seen: set[tuple[str, str, int]] = set()
    for check in [*report.results.failed_checks, *report.results.skipped_checks]:
        file, line = check.file_path.lstrip("/"), (check.file_line_range or [0])[0]
        if (check.check_id, file, line) in seen or file == OVERRIDE_NAME:
            continue
        seen.add((check.check_id, file, line))
        yield _finding(check, file, line, options)


def _finding(check: Check, file: str, line: int, options: Options) -> Finding:
    severity = options.severities.get(check.check_id) or SEVERITIES.get(check.check_id, DEFAULT)
    message, hint = f"{check.check_name} ({check.resource})", ""
    if check.check_result.result == "SKIPPED":
        reason = check.check_result.suppress_comment or "no reason given"
        message = f"a comment keeps checkov from checking: {message}; it says: {reason}"
        hint = "Delete the checkov:skip comment and mend what it hides."
        severity = "info" if options.silenced == "allow" else severity
    return Finding(
        validator="checkov",
        rule=check.check_id,
        severity=severity,
        message=message,
        file=file,
        line=line,
        hint=hint,
        url=check.guideline or INDEX,
    )


def _unread(report: Report, tree: Tree, root: Path) -> Iterator[Finding]:
    """Files that checkov passed over: what it could not parse, and the JSON syntax."""
    parted = [os.path.relpath(path, root) for path in report.results.parsing_errors]
    if report.summary.parsing_errors > len(parted):
        raise PlatformError("it could not parse a file and does not say which")
    for path in sorted(set(parted)):
        yield _passed_over(path, "high", "checkov cannot parse this file, so nothing in it was checked")
    for path, file in module_files(tree):
        if path.endswith(".json") and not isinstance(file, HclError) and _resources(file):
            yield _passed_over(
                path, "medium", "checkov does not read the JSON syntax; nothing here was checked"
            )


def _passed_over(path: str, severity: Severity, message: str) -> Finding:
    hint = "Write it in the plain syntax of *.tf files."
    return Finding(
        validator="checkov", rule="unread", severity=severity, message=message, file=path, hint=hint
    )


def least_resources(tree: Tree) -> int:
    """How many resources checkov must have seen at least.

    A count or a for_each may make none of one, and so may those of a module call of all that is in it.
    """
    files = [(path, file) for path, file in module_files(tree) if path.endswith(".tf")]
    blocks = {path: file for path, file in files if not isinstance(file, HclError)}
    calls = [block for file in blocks.values() for block in file.blocks if block.type == "module"]
    only_top = any(_repeated(call) for call in calls)
    return sum(
        not _repeated(block)
        for path, file in blocks.items()
        if not (only_top and "/" in path)
        for block in _resources(file)
    )


def _resources(file: Block) -> list[Block]:
    return [block for block in file.blocks if block.type == "resource"]


def _repeated(block: Block) -> bool:
    return any(attribute.name in ("count", "for_each") for attribute in block.attributes)


def _tree(root: Path) -> Tree:
    files = [*root.rglob("*.tf"), *root.rglob("*.tf.json")]
    named = {file.relative_to(root).as_posix(): file.read_bytes() for file in files}
    named.pop(OVERRIDE_NAME, None)
    return Tree(files=named)


def _run(executable: Path, stage: Stage, options: Options) -> Report:
    interpreter = interpreter_of(executable)
    command = [str(interpreter), "-I", "-B", str(executable), "-d", str(stage.root)]
    command += ["--framework", "terraform", "--compact", "--output", "json", "--skip-download"]
    command += ["--skip-check", ",".join(options.skip)] if options.skip else []
    with tempfile.TemporaryDirectory(prefix="checkov-") as name:
        private = Path(name).resolve()
        environment = {
            "HOME": str(private),
            "TMPDIR": str(private),
            "PATH": "",
            "LANG": "C.UTF-8",
            "LOG_LEVEL": "ERROR",
            # Its own processes would want semaphores below /dev/shm, which the sandbox does not give.
            "CHECKOV_PARALLELIZATION_TYPE": "none",
        }
        # The environment's own folder, and that of the Python that it was made from.
        read_from = (interpreter.parent.parent, interpreter.resolve().parent.parent, executable)
        confinement = Confinement(read=(stage.root, *read_from), write=(private,))
        try:
            done = stage.terraform.runner(private, environment, stage.terraform.held).run(
                command, stage.deadline_s, confinement=confinement
            )
        except TimeoutError:
            raise TimeoutError(f"checkov took longer than {stage.deadline_s:g} s") from None
        except Stopped as error:
            raise PlatformError(str(error)) from error
    return decode(done.stdout, done.code, done.stderr)


def decode(stdout: bytes, code: int, stderr: str = "") -> Report:
    """The report; a tree without resources has numbers only. Raises `PlatformError` where there is none."""
    try:
        if code not in (0, 1):
            raise PlatformError(f"it ended with exit code {code}: {_last(stderr)}")
        if b'"results"' in stdout:
            return msgspec.json.decode(stdout, type=Report)
        return Report(summary=msgspec.json.decode(stdout, type=Summary))
    except msgspec.MsgspecError as error:
        raise PlatformError(f"it gave no answer (exit code {code}): {_last(stderr)}") from error


def _last(text: str) -> str:
    return text.strip()[-300:] or "it said nothing"
