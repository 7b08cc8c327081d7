"""The validator `tflint`: the rules of tflint's Terraform ruleset, and of the AWS one where it is installed.

It runs with a configuration of ours and from another folder: a `.tflint.hcl` of the workspace, or plugins
that lie there, are never read (FACTS §6). Comments that silence it are findings themselves.
https://github.com/terraform-linters/tflint/blob/master/docs/user-guide/config.md
"""

import os
import re
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

from toolkit.checker.process import Stopped
from toolkit.checker.sandbox import Confinement
from toolkit.checker.staging import OVERRIDE_NAME
from toolkit.checker.tools import find_tool, require_tool, tflint_version, tools_folder
from toolkit.checker.validator import Stage
from toolkit.contracts import Finding, Severity, Shape, Tool
from toolkit.errors import PlatformError

AWS_PLUGIN = "tflint-ruleset-aws"
NO_AWS_RULES = "AWS rules of tflint did not run: its AWS ruleset is not installed"

SEVERITIES: dict[str, Severity] = {"error": "high", "warning": "medium", "notice": "low"}

# As tflint reads them (tflint/annotation.go), in any text: what only looks like a comment is told as well.
_SILENCED = re.compile(rb"tflint-ignore(?:-file)?: ([^\n*/#]+)")


class Options(Shape, frozen=True):
    """`[validators.tflint.options]`. `preset` is the ruleset's; `enable` and `disable` are names of rules.

    `silenced` says what a `tflint-ignore` comment is: a finding, or with `allow` only a note.
    """

    preset: Literal["recommended", "all"] = "recommended"
    enable: list[str] = []
    disable: list[str] = []
    silenced: Literal["refuse", "allow"] = "refuse"


class Position(msgspec.Struct):
    """A place in a file; lines count from 1."""

    line: int


class Range(msgspec.Struct):
    """Where an issue is; the name is relative to the folder in which tflint was started."""

    filename: str
    start: Position


class Rule(msgspec.Struct):
    """Which rule, with the page that explains it."""

    name: str
    severity: str
    link: str = ""


class Issue(msgspec.Struct):
    """One issue of `tflint --format=json`."""

    rule: Rule
    message: str
    range: Range


class Failure(msgspec.Struct):
    """Something that kept tflint from going on; a mistake in the tree has a place, anything else has none."""

    message: str
    summary: str = ""
    range: Range | None = None


class Output(msgspec.Struct):
    """The document of `tflint --format=json`."""

    issues: list[Issue] = []
    errors: list[Failure] = []


class Tflint:
    """tflint on each folder of the tree that holds Terraform."""

    name = "tflint"

    def tool(self) -> Tool | None:
        """tflint and its version; None without it, or where it does not answer."""
        executable = find_tool("tflint")
        version = tflint_version(executable) if executable else ""
        return Tool(name="tflint", version=version) if version else None

    def not_proven(self) -> list[str]:
        """The AWS rules, where their plugin is not there."""
        return [] if aws_rules() else [NO_AWS_RULES]

    def check(self, stage: Stage) -> Iterable[Finding]:
        """Issues and silencing comments (error is high, warning medium, notice low, a comment medium).

        Raises `ToolMissing` without tflint, `TimeoutError` past the deadline, `PlatformError` where it fails.
        """
        options = stage.options_as(Options)
        executable = require_tool("tflint")
        until = time.monotonic() + stage.deadline_s
        yield from silenced(stage.root, options)
        with tempfile.TemporaryDirectory(prefix="tflint-") as name:
            private = Path(name).resolve()
            (private / "tmp").mkdir()
            (private / "config.hcl").write_text(configuration(options, private))
            for folder in _folders(stage.root):
                output = _run(executable, stage, folder, private, until)
                yield from read(output, private, stage.root)


def plugin_folder() -> Path | None:
    """Where our tflint finds its plugins; the image says so by `TFLINT_PLUGIN_DIR`."""
    if chosen := os.environ.get("TFLINT_PLUGIN_DIR"):
        return Path(chosen).absolute()
    tools = tools_folder()
    return tools / "tflint-plugins" if tools else None


def aws_rules() -> Path | None:
    """The AWS ruleset, where it is installed."""
    folder = plugin_folder()
    return folder / AWS_PLUGIN if folder and (folder / AWS_PLUGIN).is_file() else None


def configuration(options: Options, private: Path) -> str:
    """The text of tflint's configuration. Raises `PlatformError` for what is no name of a rule."""
    rules = {**dict.fromkeys(options.enable, "true"), **dict.fromkeys(options.disable, "false")}
    if wrong := [name for name in rules if not re.fullmatch(r"[a-z0-9_]+", name)]:
        raise PlatformError(
            f"{wrong[0]!r} is no name of a rule", "names are as terraform_unused_declarations"
        )
    aws = aws_rules()
    lines = ["config {", f'  plugin_dir = "{aws.parent if aws else private / "none"}"']
    lines += ['  call_module_type = "none"', "}", 'plugin "terraform" {', "  enabled = true"]
    lines += [f'  preset = "{options.preset}"', "}"]
    lines += ['plugin "aws" {', "  enabled = true", "}"] if aws else []
    for name, enabled in rules.items():
        lines += [f'rule "{name}" {{', f"  enabled = {enabled}", "}"]
    return "\n".join(lines) + "\n"


def silenced(root: Path, options: Options) -> Iterator[Finding]:
    """A finding for each comment that keeps tflint from telling something."""
    for path in sorted([*root.rglob("*.tf"), *root.rglob("*.tf.json")]):
        for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
            for match in _SILENCED.finditer(line):
                rules = match[1].decode(errors="replace").strip()
                yield Finding(
                    validator="tflint",
                    rule="silenced",
                    severity="info" if options.silenced == "allow" else "medium",
                    message=f"a comment keeps tflint from telling {rules}",
                    file=path.relative_to(root).as_posix(),
                    line=number,
                    hint="Delete the comment and mend what it hides.",
                )


def read(output: Output, cwd: Path, root: Path) -> Iterator[Finding]:
    """The issues and the diagnostics of HCL as findings. Raises `PlatformError` for any other failure."""
    for issue in output.issues:
        yield Finding(
            validator="tflint",
            rule=issue.rule.name,
            severity=SEVERITIES.get(issue.rule.severity, "high"),
            message=issue.message,
            file=_place(issue.range.filename, cwd, root),
            line=issue.range.start.line,
            url=issue.rule.link,
        )
    for failure in output.errors:
        file = _place(failure.range.filename, cwd, root) if failure.range else ""
        if failure.range is None or not (root / file).is_file():
            raise PlatformError(f"it failed: {failure.message[:500]}")
        yield Finding(
            validator="tflint",
            rule="unreadable",
            severity="high",
            message=f"{failure.summary}: {failure.message}",
            file=file,
            line=failure.range.start.line,
        )


def _place(filename: str, cwd: Path, root: Path) -> str:
    """The path below the tree's root; empty for the checker's own file, as is for what is not below it."""
    absolute = Path(os.path.normpath(cwd / filename))
    if not absolute.is_relative_to(root):
        return filename
    path = absolute.relative_to(root).as_posix()
    return "" if path == OVERRIDE_NAME else path


def _folders(root: Path) -> list[Path]:
    """Every folder with Terraform in it; none more than once."""
    files = [*root.rglob("*.tf"), *root.rglob("*.tf.json")]
    return sorted({file.parent for file in files})


def _run(executable: Path, stage: Stage, folder: Path, private: Path, until: float) -> Output:
    environment = {"HOME": str(private), "TMPDIR": str(private / "tmp"), "PATH": "", "LANG": "C.UTF-8"}
    command = [str(executable), f"--chdir={folder}", f"--config={private / 'config.hcl'}"]
    plugins = aws_rules()
    confinement = Confinement(
        read=(stage.root, private),
        run=(plugins.parent,) if plugins else (),
        write=(private / "tmp",),
    )
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError(f"tflint took longer than {stage.deadline_s:g} s")
    try:
        # --force: exit code 0 for issues, which the document holds.
        done = stage.terraform.runner(private, environment, stage.terraform.held).run(
            [*command, "--format=json", "--force", "--no-color"], left, confinement=confinement
        )
    except Stopped as error:
        raise PlatformError(str(error)) from error
    try:
        output = msgspec.json.decode(done.stdout, type=Output)
    except msgspec.MsgspecError as error:
        said = done.stderr.strip()[-300:] or done.stdout[:300].decode(errors="replace")
        raise PlatformError(f"it gave no answer (exit code {done.code}): {said}") from error
    if done.code != 0 and not output.errors:
        raise PlatformError(f"it ended with exit code {done.code}: {done.stderr.strip()[-300:]}")
    return output
