"""`tfkit validate`: the gate with no model, for a folder as it lies there."""

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolkit.cli.commands.ask import DEPTHS
from toolkit.cli.options import Session, command, session
from toolkit.errors import FindingsFound, TfkitError, UsageError

if TYPE_CHECKING:
    from toolkit.checker.selection import Closed, Selection
    from toolkit.contracts import CheckReport, RehearseDepth, Severity, Tree
    from toolkit.settings import Settings

# Not from `contracts`, whose import `--help` would pay for; a test compares them.
SEVERITIES = ("info", "low", "medium", "high", "critical")
FORMATS = ("table", "json", "sarif", "github")


@command()
@click.argument(
    "folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path), default="."
)
@click.option(
    "--fail-on",
    type=click.Choice(SEVERITIES),
    help="Fail from this severity on; by default as the gate of a run does, each validator from its own.",
)
@click.option("--validators", metavar="A,B", help="Exactly these; see `tfkit validators`.")
@click.option(
    "--rehearse",
    type=click.Choice(DEPTHS),
    help="How far the real provider goes against a throwaway emulator (plan).",
)
@click.option(
    "--format", "shape", type=click.Choice(FORMATS), help="How to print; github: annotations of a workflow."
)
def validate(
    folder: Path,
    fail_on: "Severity | None",
    validators: str | None,
    rehearse: "RehearseDepth | None",
    shape: str | None,
) -> None:
    """Check the Terraform in DIR as the gate of a run would.

    Needs no platform and no model, and changes nothing. DIR is checked as it is; files of tools that begin
    with a dot are left out, and named. In a GitHub workflow findings are annotations as well. The exit code
    is 6 for findings that count, and 1 where a validator could not do its work.

    \b
    Examples:
      tfkit validate infra
      tfkit validate infra --fail-on high --validators fmt,validate,checkov
      tfkit validate infra --rehearse apply
      tfkit validate infra --format sarif > findings.sarif
    """
    from toolkit.checker.selection import closing, without_rehearsal
    from toolkit.checker.staging import read_tree
    from toolkit.cli.validating import selection_of

    run = session()
    shape = _shape(run, shape)
    settings = run.settings()
    selection = selection_of(settings, validators)
    depth = rehearse or settings.rehearse
    if depth == "off":
        selection = without_rehearsal(selection)
    left_out: list[str] = []
    tree = read_tree(folder, left_out=left_out)
    report = _check(run, settings, selection, tree, depth)
    closed = closing(report, selection, fail_on)
    _print(run, shape, folder, tree, report, selection, closed, left_out)
    for one in closed if shape != "table" else ():
        run.output.note(f"{one.validator}: {one.reason}")
    click.get_current_context().exit(_exit_code(closed))


def _shape(run: Session, shape: str | None) -> str:
    if not run.output.json:
        return shape or "table"
    if shape not in (None, "json"):
        raise UsageError(f"--json and --format {shape} cannot both be", "leave one of them out")
    return "json"


def _exit_code(closed: "list[Closed]") -> int:
    if any(one.failed for one in closed):
        return TfkitError.exit_code
    return FindingsFound.exit_code if closed else 0


def _check(
    run: Session, settings: "Settings", selection: "Selection", tree: "Tree", depth: "RehearseDepth"
) -> "CheckReport":
    """Everything in the folder is the user's own, and trusted with more than what a model wrote."""
    from toolkit.checker.inprocess import InProcessChecker
    from toolkit.checker.mirrors import DEFAULT_SOURCES, mirror_folders
    from toolkit.deploy.machine import prepare

    made = prepare(settings.folder, run.output.note)
    mirrors = [*mirror_folders(), *([made] if made else [])]
    with tempfile.TemporaryDirectory(prefix="tfkit-validate-") as workdir:
        checker = InProcessChecker(
            Path(workdir),
            settings=selection.settings,
            mirrors=mirrors,
            sources=tuple(dict.fromkeys((*DEFAULT_SOURCES, *settings.image_providers))),
            brought=tree,
        )
        try:
            return checker.check(tree, selection.names, rehearse=depth)
        finally:
            checker.close()


def _print(
    run: Session,
    shape: str,
    folder: Path,
    tree: "Tree",
    report: "CheckReport",
    selection: "Selection",
    closed: "list[Closed]",
    left_out: list[str],
) -> None:
    from toolkit.cli.annotations import annotations, inside_workflow, quoted
    from toolkit.cli.render_validate import document, render_report
    from toolkit.cli.sarif import sarif
    from toolkit.cli.source_root import below_source_root

    if shape == "json":
        run.output.document(document(report, selection, closed, left_out))
        return
    place = below_source_root(folder, os.environ)
    if shape == "sarif":
        first = next((path for path in sorted(tree.files) if path.endswith((".tf", ".tf.json"))), "main.tf")
        run.output.document(sarif(report, closed, place, first))
        return
    if shape == "table":
        with quoted(os.environ):
            render_report(run.output.console(), report, selection, closed, left_out)
    if shape == "github" or inside_workflow(os.environ):
        for line in annotations(report, closed, place):
            click.echo(line)
