"""The tools that the model has. Their docstrings are what it reads of them.

A mistake of the model's is a `ModelRetry` that says how to mend it. A failure of the platform is a
`PlatformError`, which ends the run and is never shown to the model.
"""

from collections.abc import Callable

import msgspec
from pydantic_ai import ModelRetry, RunContext, Tool

from toolkit.agent.deps import Deps
from toolkit.agent.feedback import of_init, of_report
from toolkit.agent.verdict import refuse_failed
from toolkit.agent.workspace import Refused
from toolkit.checker.selection import Selection
from toolkit.contracts import CheckReport, Tree


def list_files(ctx: RunContext[Deps]) -> str:
    """List every file of the workspace with its size in bytes."""
    return "\n".join(f"{path} ({size} bytes)" for path, size in ctx.deps.workspace.paths()) or "no files yet"


def read_file(ctx: RunContext[Deps], path: str) -> str:
    """Read a file.

    Args:
        path: relative to the root of the module, with forward slashes.
    """
    try:
        return ctx.deps.workspace.read(path)
    except Refused as error:
        raise ModelRetry(str(error)) from error


def write_file(ctx: RunContext[Deps], path: str, content: str) -> str:
    """Create a file, or replace the whole of one that you have read or written.

    Args:
        path: relative to the root of the module, with forward slashes.
        content: the whole text of the file.
    """
    try:
        size = ctx.deps.workspace.write(path, content)
    except Refused as error:
        raise ModelRetry(str(error)) from error
    ctx.deps.checker.prepare(ctx.deps.workspace.tree)
    return f"wrote {path} ({size} bytes)"


def edit_file(ctx: RunContext[Deps], path: str, old: str, new: str) -> str:
    """Replace one passage of a file that you have read.

    Args:
        path: relative to the root of the module, with forward slashes.
        old: the passage to replace; it must stand exactly once in the file.
        new: what stands there afterwards.
    """
    try:
        ctx.deps.workspace.edit(path, old, new)
    except Refused as error:
        raise ModelRetry(str(error)) from error
    ctx.deps.checker.prepare(ctx.deps.workspace.tree)
    return f"edited {path}"


def delete_file(ctx: RunContext[Deps], path: str) -> str:
    """Remove a file that you have read or written.

    Args:
        path: relative to the root of the module, with forward slashes.
    """
    try:
        ctx.deps.workspace.delete(path)
    except Refused as error:
        raise ModelRetry(str(error)) from error
    return f"deleted {path}"


def terraform_init(ctx: RunContext[Deps]) -> str:
    """Run `terraform init` on the files. Answers `ok`, or the findings one a line."""
    ctx.deps.progress("terraform init")
    tree = ctx.deps.workspace.tree
    result = ctx.deps.checker.init(tree)
    refuse_failed(CheckReport(tree=tree.hash, results=[result]), ctx.deps.selection)
    return of_init(result, tree)


def terraform_validate(ctx: RunContext[Deps]) -> str:
    """Run `terraform validate` on the files. Answers `ok`, or the findings one a line."""
    ctx.deps.progress("terraform validate")
    tree = ctx.deps.workspace.tree
    only = msgspec.structs.replace(ctx.deps.selection, names=("validate",))
    return _told(ctx.deps.checker.check(tree, only.names), tree, only)


def run_validators(ctx: RunContext[Deps]) -> str:
    """Run every validator that the host will run when you stop. Answers `ok`, or the findings one a line."""
    ctx.deps.progress("validators")
    tree = ctx.deps.workspace.tree
    return _told(ctx.deps.check(tree), tree, ctx.deps.selection)


def _told(report: CheckReport, tree: Tree, selection: Selection) -> str:
    """What the model hears; what could not do its work is the platform's failure, and ends the run."""
    refuse_failed(report, selection)
    return of_report(report, tree, selection)


_FUNCTIONS: tuple[Callable[..., str], ...] = (
    list_files, read_file, write_file, edit_file, delete_file,
    terraform_init, terraform_validate, run_validators,
)  # fmt: skip

# One after another: two of them at once would see half-written files.
TOOLS: list[Tool[Deps]] = [Tool(function, sequential=True) for function in _FUNCTIONS]
