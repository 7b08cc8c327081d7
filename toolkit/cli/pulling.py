"""`ask --pr`: what is looked at before the run, the pull request after it, and what is said of it."""

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from toolkit.errors import TfkitError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from toolkit.cli.options import Session
    from toolkit.cli.starting import Starting
    from toolkit.client import Client
    from toolkit.contracts import RunResult
    from toolkit.pulls.publishing import Prepared
    from toolkit.pulls.recorded import Recorded
    from toolkit.start.changes import Change


class PullOptions(NamedTuple):
    """What the command line says of a pull request. `wanted` is `--pr` itself."""

    wanted: bool = False
    draft: bool = False
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    remote: str | None = None
    base: str | None = None

    def refuse_mixed(self, existing: Path | None, *, write: bool, detach: bool) -> None:
        """Raise `UsageError` where these and the other options of `ask` cannot be meant together."""
        if not self.wanted:
            if any(self[1:]):
                raise UsageError(
                    "--draft, --label, --reviewer, --remote and --base are of a pull request", "add --pr"
                )
            return
        if existing is None:
            raise UsageError("--pr needs --dir, a folder in a clone", 'tfkit ask "…" --dir DIR --pr')
        if write or detach:
            raise UsageError(
                f"--pr and {'--write' if write else '--detach'} cannot both be",
                "--pr leaves the folder as it is, and follows the run; leave the other out",
            )


_OPTIONS = (
    click.option("--pr", "pull", is_flag=True, help="Open a pull request on GitHub, where the run is `ok`."),
    click.option("--draft", is_flag=True, help="With --pr: as a draft."),
    click.option(
        "--label", "labels", multiple=True, metavar="LABEL", help="With --pr: a label; again for more."
    ),
    click.option(
        "--reviewer",
        "reviewers",
        multiple=True,
        metavar="WHO",
        help="With --pr: a login, or ORGANISATION/TEAM; again for more.",
    ),
    click.option("--remote", metavar="NAME", help="With --pr: the remote (origin)."),
    click.option("--base", metavar="BRANCH", help="With --pr: the branch it is for (the one HEAD is on)."),
)


def pull_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options of a pull request to a command, which gets them as one argument, `pull`."""

    @functools.wraps(function)
    def collected(
        *,
        pull: bool,
        draft: bool,
        labels: tuple[str, ...],
        reviewers: tuple[str, ...],
        remote: str | None,
        base: str | None,
        **others: Any,
    ) -> None:
        function(pull=PullOptions(pull, draft, labels, reviewers, remote, base), **others)

    for option in reversed(_OPTIONS):
        option(collected)
    return collected


class Pulling:
    """The pull request of one run: everything about it was found right before the run was asked for."""

    def __init__(self, run: "Session", prepared: "Prepared", stack_folder: Path) -> None:
        self._run = run
        self._prepared = prepared
        self._folder = stack_folder
        self.problems: list[str] = []

    @classmethod
    def prepare(
        cls,
        run: "Session",
        folder: Path,
        options: PullOptions,
        earlier_runs: "Sequence[str]" = (),
    ) -> "Pulling":
        """Look at repository, remote, token and rights, and say where it would go.

        `earlier_runs` are the runs that this one goes on with, the newest first: their pull request gets the
        commit. Raises `UsageError` where they have none that is known here.
        """
        from toolkit.pulls.publishing import Wish, prepare
        from toolkit.pulls.recorded import earlier

        stack_folder = run.settings().stack_folder
        before = earlier(stack_folder, earlier_runs)
        if earlier_runs and before is None:
            raise UsageError(
                "no pull request of the earlier runs is known on this machine",
                f"open it first: the earlier command again, with --run-id {earlier_runs[0]} --pr",
            )
        wish = Wish(
            folder,
            options.remote or "origin",
            options.base or "",
            options.draft,
            options.labels,
            options.reviewers,
        )
        prepared = prepare(wish, os.environ, before)
        onto = f"{before.branch} of {before.url}" if before else f"a new branch, for {prepared.base}"
        run.output.note(f"pull request: {prepared.place.host}/{prepared.place.path}, {onto}")
        return cls(run, prepared, stack_folder)

    def publish(
        self, client: "Client", result: "RunResult", sent: "Starting", changed: "list[Change]"
    ) -> "dict[str, object] | None":
        """Open it, where the run is `ok` and changed something; what `--json` says of it, or None."""
        if result.status != "ok" or not changed:
            why = f"the run is {result.status}" if result.status != "ok" else "the run changed nothing"
            self._run.output.note(f"no pull request: {why}")
            return None
        if result.start != sent.tree.hash:
            raise TfkitError(f"no pull request: run {result.run_id} started from other files")
        from toolkit.pulls.publishing import Delivery, publish
        from toolkit.pulls.recorded import earlier

        statement = client.statement(result.run_id)
        delivery = Delivery(result, sent.tree, changed, sent.stays, statement)
        before = earlier(self._folder, [result.run_id])
        opened, self.problems = publish(self._prepared, delivery, before)
        output = self._run.output
        # The address first of all: it is there, whatever fails from here on.
        output.note(f"pull request: {opened.url} (branch {opened.branch}, commit {opened.commit[:8]})")
        self._remember(opened)
        for problem in self.problems:
            output.note(f"error: {problem}")
        return {
            "url": opened.url,
            "number": opened.number,
            "branch": opened.branch,
            "commit": opened.commit,
            "problems": self.problems,
        }

    def _remember(self, opened: "Recorded") -> None:
        from toolkit.pulls.recorded import remember

        try:
            remember(self._folder, opened)
        except OSError as error:
            self.problems.append(f"--continue will not find it: {error.strerror or error}")

    @property
    def exit_code(self) -> int:
        """1 where GitHub did not take labels, reviewers or the comment, or this machine the record of it."""
        return TfkitError.exit_code if self.problems else 0
