"""The turns of `tfkit chat`: a line goes to the agent, and the reply and the changes come back."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolkit.cli.conversing import GoingOn, going_on
from toolkit.cli.output import Output
from toolkit.cli.statement_file import save_statement
from toolkit.cli.text import harmless
from toolkit.errors import BudgetExceeded, TfkitError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from toolkit.cli.options import Session
    from toolkit.client import Client
    from toolkit.contracts import AskRequest, RehearseDepth, RunResult, Tree
    from toolkit.start.changes import Change

QUIT = ("/quit", "/exit", "/q")
PROMPT = "> "


def lines(output: Output) -> Iterator[str]:
    """What the user says, line by line, until it ends; empty lines are nothing.

    The prompt goes to stderr and only to a terminal. Ctrl-C at the prompt takes back what was typed.
    """
    person = sys.stdin.isatty()
    if person:
        output.note("Ctrl-D or /quit ends the chat, Ctrl-C a turn.")
    while True:
        if person:
            click.echo(PROMPT, nl=False, err=True)
        try:
            line = sys.stdin.readline()
        except KeyboardInterrupt:
            if not person:
                raise
            output.note("\n(Ctrl-D or /quit ends the chat)")
            continue
        if not line or line.strip() in QUIT:
            return
        if text := line.encode("utf-8", "surrogateescape").decode("utf-8", "replace").strip():
            yield text


class Talk:
    """One chat: where the conversation stands, its turns in this process, and what it wrote.

    `over` says that there will be no further turn.
    """

    def __init__(
        self,
        run: "Session",
        client: "Client",
        request: "AskRequest",
        before: GoingOn,
        folder: Path,
        left: float | None,
        *,
        new: bool,
    ) -> None:
        self._run = run
        self._client = client
        self._request = request
        self._new = new
        self._follows, self._tree = before.follows, before.start
        self._folder = folder
        self._left = left
        self._written = _written_before(client, before, folder)
        self.turns: list[RunResult] = []
        self.over = self._spent = False

    @property
    def exit_code(self) -> int:
        """That of the last turn, as of `ask`, unless the chat's own budget ended it.

        A goodbye before anything was made is no failure.
        """
        from toolkit.cli.commands.ask import EXIT_BY_STATUS

        if self._spent:
            return BudgetExceeded.exit_code
        last = next((turn for turn in reversed(self.turns) if turn.files or not turn.terminate), None)
        return EXIT_BY_STATUS.get(last.status, 0) if last else 0

    @classmethod
    def begin(
        cls,
        run: "Session",
        earlier: str | None,
        model: str,
        folder: Path | None,
        rehearse: "RehearseDepth | None",
        max_cost: float | None,
    ) -> "Talk":
        """Find the conversation, or begin one. Raises `UsageError` where the folder holds other files."""
        from toolkit.client import new_run_id, refuse_used
        from toolkit.contracts import AskRequest, Tree
        from toolkit.registry import chain

        client, settings = run.client(), run.settings()
        caller = client.caller()
        if earlier is None:
            before = GoingOn(new_run_id(), "", Tree(), ())
        else:
            before = going_on(run.output, client, caller, earlier)
        target = folder or Path("tfkit-runs") / before.conversation
        if earlier is None:
            refuse_used(target)
        chosen = chain(client.registry(), model)[0][0]
        request = AskRequest(
            run_id=before.conversation,
            prompt="",
            model=chosen,
            caller=caller,
            rehearse=rehearse or settings.rehearse,
            timeout_s=settings.budget_seconds,
            max_turns=settings.budget_turns,
            max_tool_calls=settings.budget_tool_calls,
            max_tokens=settings.budget_tokens,
            max_cost_usd=settings.budget_usd,
            conversation=before.conversation,
            chat=True,
        )
        return cls(run, client, request, before, target, max_cost, new=earlier is None)

    def turn(self, text: str) -> None:
        """One turn; what goes wrong in it is said to a person, who may go on, and ends a script."""
        from toolkit.cli.commands.ask import MAX_PROMPT

        try:
            if len(text) > MAX_PROMPT:
                raise UsageError(
                    f"the line has {len(text)} characters; {MAX_PROMPT} are allowed", "shorten it"
                )
            self._turn(text)
        except TfkitError as error:
            if not self._run.output.can_ask:
                raise
            hint = f"\nhint: {error.hint}" if error.hint else ""
            self._run.output.note(f"error: {error.message}{hint}")

    def _turn(self, text: str) -> None:
        import msgspec

        from toolkit.client import new_run_id
        from toolkit.contracts import Tree

        request = msgspec.structs.replace(
            self._request,
            run_id=self._request.conversation if self._new else new_run_id(),
            prompt=text,
            max_cost_usd=self._allowed(),
            follows=self._follows,
            start=self._tree.hash if self._tree.files else "",
        )
        self._client.submit(request, self._tree, None)
        self._new = False
        result = self._followed(request)
        self.turns.append(result)
        after = self._client.tree(result, self._tree) if result.files else Tree()
        self._show(result, after)
        if result.status in ("ok", "not_converged", "budget_exceeded") and (
            result.files or not self._tree.files
        ):
            self._follows, self._tree = result.run_id, after
        if result.status == "ok":
            self._write(result, after)
        self.over = result.terminate
        self._count(result)

    def _followed(self, request: "AskRequest") -> "RunResult":
        """Wait for the turn; Ctrl-C cancels it, and the chat goes on where a person is there to say more."""
        from toolkit.cli.render_run import RunProgress

        with RunProgress(self._run.output, request.run_id) as progress:
            try:
                self._client.follow(request.run_id, progress.update, on_cut=progress.cut)
            except KeyboardInterrupt:
                self._run.output.note(f"\ncancelling the turn (run {request.run_id}) …")
                self._cancel(request.run_id)
                if not sys.stdin.isatty():
                    raise
        return self._client.result(request.run_id)

    def _cancel(self, run_id: str) -> None:
        """Cancel it; one that has ended in this very moment is taken as it is."""
        try:
            self._client.cancel(run_id)
        except TfkitError as error:
            self._run.output.note(error.message)

    # -- money -------------------------------------------------------------------------------------

    def _allowed(self) -> float | None:
        """What the next turn may cost: what is left of the chat's, and no more than the settings say."""
        limits = [limit for limit in (self._left, self._request.max_cost_usd) if limit is not None]
        return min(limits, default=None)

    def _count(self, result: "RunResult") -> None:
        if self._left is None:
            return
        self._left -= result.usage.cost_usd or 0.0
        if self._left <= 0 and not self.over:
            self.over = self._spent = True
            self._run.output.note("what the chat may cost is spent; give it more with --max-cost")

    # -- what is seen ------------------------------------------------------------------------------

    def _show(self, result: "RunResult", after: "Tree") -> None:
        from toolkit.cli.render_run import render_outcome
        from toolkit.start.changes import changes

        if self._run.output.json:
            return
        console = self._run.output.console()
        render_outcome(console, result, detailed=self._run.output.verbose)
        if result.files:
            _show_changes(console, changes(self._tree, after))

    def _write(self, result: "RunResult", after: "Tree") -> None:
        """Replace what this chat wrote by the turn's files. Where something else is in the way it says so."""
        from toolkit.start.changes import changes
        from toolkit.start.writing import write

        wanted = changes(self._written, after)
        if not wanted:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write(self._folder, wanted)
        except (TfkitError, OSError) as error:
            said = error.message if isinstance(error, TfkitError) else f"{self._folder}: {error.strerror}"
            self._run.output.note(f"{said}\nthe turn's files: tfkit runs files {result.run_id} -o DIR")
            return
        self._written = after
        save_statement(self._run, self._client, result, self._folder)
        if not self._run.output.json:
            self._run.output.note(f"written to {self._folder}: {', '.join(change.path for change in wanted)}")

    def say_goodbye(self) -> None:
        """The document of `--json`, or how to go on another time."""
        output, conversation = self._run.output, self._request.conversation
        if output.json:
            if sys.exc_info()[0] is None:  # what went wrong is the one document otherwise
                terminate = bool(self.turns) and self.turns[-1].terminate
                output.document({"conversation": conversation, "turns": self.turns, "terminate": terminate})
        elif self._follows:
            output.note(f"go on another time: tfkit chat --conversation {conversation}")


def _written_before(client: "Client", before: GoingOn, folder: Path) -> "Tree":
    """What an earlier chat of the conversation wrote to the folder, as far as it is still as it was."""
    from toolkit.contracts import Tree
    from toolkit.start.gather import read_regular

    if not before.ok_run or not folder.is_dir():
        return Tree()
    known = before.start
    if before.ok_run != before.follows:
        known = client.tree(client.result(before.ok_run), before.start)
    return Tree(files={p: c for p, c in known.files.items() if read_regular(folder / p) == c})


def _show_changes(console: "Console", changed: "list[Change]") -> None:
    from toolkit.cli.render_run import render_diff
    from toolkit.contracts import Tree
    from toolkit.diffs import diff

    counts = ", ".join(f"{change.path} ({change.kind})" for change in changed) or "nothing"
    console.print(harmless(f"changed: {counts}"))
    before = {change.path: change.before for change in changed if change.before is not None}
    after = {change.path: change.after for change in changed if change.after is not None}
    if before:  # of what is all new, the files themselves tell more
        render_diff(console, diff(Tree(files=before), Tree(files=after), None))
