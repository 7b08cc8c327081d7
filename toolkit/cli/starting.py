"""`ask --dir` and `--attach`: what goes up and what stays home, the diff that comes back, and its writing."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from toolkit.cli.output import Output
from toolkit.cli.text import harmless
from toolkit.errors import TfkitError, UsageError

if TYPE_CHECKING:
    from toolkit.cli.options import Session
    from toolkit.cli.pulling import Pulling
    from toolkit.client import Client
    from toolkit.contracts import ModelEntry, RunResult, Tree
    from toolkit.start.changes import Change
    from toolkit.start.gather import Gathered, Stays

NAMED_AT_MOST = 8
"""Of what stays home, in the notes of a run; `--dry-run` names all."""


def list_home(run: "Session", folder: Path | None) -> None:
    """`--dry-run`: every file that would go, and everything that stays, with the reason."""
    if folder is None:
        raise UsageError("--dry-run lists what --dir would send", "tfkit ask --dir DIR --dry-run")
    from toolkit.start.gather import gather

    gathered = gather(folder)
    if run.output.json:
        stays = [stay._asdict() for stay in gathered.stays]
        run.output.document({"goes": gathered.tree.entries, "stays": stays, "start": gathered.tree.hash})
        return
    entries = gathered.tree.entries
    run.output.say(f"would go: {len(entries)} files, {sum(entry.bytes for entry in entries):,} bytes")
    for entry in entries:
        run.output.say(f"  {entry.path}  {entry.bytes:,}")
    run.output.say(f"stays home: {len(gathered.stays)}" if gathered.stays else "stays home: nothing")
    for stay in gathered.stays:
        run.output.say(f"  {stay.path}  {stay.reason}")


def attachments(files: tuple[Path, ...], model: str, entry: "ModelEntry") -> "Tree":
    """What goes with the prompt, by name. Raises `UsageError` for what the model does not take.

    A text that holds a secret is refused as well: unlike a file of a folder, it was named on purpose.
    """
    from toolkit.attachments import MAX_ATTACHMENTS, problem
    from toolkit.contracts import Tree
    from toolkit.start.private import secret_by_name, secret_inside

    if len(files) > MAX_ATTACHMENTS:
        raise UsageError(f"{len(files)} attachments; {MAX_ATTACHMENTS} are allowed", "attach fewer")
    found: dict[str, bytes] = {}
    for file in files:
        if file.name in found:
            raise UsageError(f"two attachments are called {file.name}", "rename one of them")
        content = file.read_bytes()
        if why := problem(content, entry.takes):
            raise UsageError(
                f"{file.name} cannot go to {model}: it {why}",
                "leave --attach out, or choose a model that takes it: -m MODEL",
            )
        if why := secret_by_name(file.name) or secret_inside(file.name, content):
            raise UsageError(f"{file.name} stays home: {why}", "take the secret out of it")
        found[file.name] = content
    return Tree(files=found)


class Starting(NamedTuple):
    """The folder that a run starts from, as it was when it was sent."""

    folder: Path
    tree: "Tree"
    stays: "tuple[Stays, ...]"

    @classmethod
    def from_folder(cls, run: "Session", folder: Path) -> "Starting":
        """Read the folder, and say what stays home. Raises `UsageError` where nothing of it would go."""
        from toolkit.start.gather import gather

        gathered = gather(folder)
        if not gathered.tree.files:
            raise UsageError(f"nothing in {folder} would go", "see why: tfkit ask --dir DIR --dry-run")
        _note(run.output, gathered)
        return cls(folder, gathered.tree, gathered.stays)

    def answer(
        self,
        run: "Session",
        client: "Client",
        result: "RunResult",
        target: Path | None,
        *,
        extract: bool,
        write: bool,
        pulling: "Pulling | None" = None,
    ) -> None:
        """Show what the run changed; where it is `ok`, write it or open a pull request, as wanted."""
        from toolkit.contracts import Tree
        from toolkit.start.changes import changes

        after = client.tree(result, self.tree) if result.files else self.tree
        changed = changes(self.tree, after)
        if run.output.json:
            written = self._write(result, changed) if write and result.status == "ok" else []
            document = _document(result, written, self.stays)
            if pulling:
                document["pull_request"] = pulling.publish(client, result, self, changed)
            run.output.document(document)
            return
        from toolkit.diffs import diff

        text = diff(
            Tree(files={c.path: c.before for c in changed if c.before is not None}),
            Tree(files={c.path: c.after for c in changed if c.after is not None}),
            None,
        )
        if extract:
            if text:
                run.output.code(text)
            if result.status != "ok":
                run.output.note(f"error: {result.error or result.status}\n{result.output}")
        else:
            self._show(run.output, result, target, changed, text)
        if pulling:
            pulling.publish(client, result, self, changed)
        else:
            self._offer(run.output, result, changed, write=write, extract=extract)

    def _offer(
        self, output: Output, result: "RunResult", changed: "list[Change]", *, write: bool, extract: bool
    ) -> None:
        if not changed:
            return
        if result.status != "ok":
            if write:
                output.note(f"nothing was written to {self.folder}: the run is {result.status}")
            return
        if not write:
            write = not extract and output.agree(f"Write this to {self.folder}?")
        if write:
            written = self._write(result, changed)
            output.note(f"written to {self.folder}: {', '.join(written)}")
        elif not extract:
            output.note(f"to write it: the same command with --run-id {result.run_id} --write")

    def _write(self, result: "RunResult", changed: "list[Change]") -> list[str]:
        from toolkit.start.writing import refuse_moved_on, write

        if result.start != self.tree.hash:
            raise TfkitError(f"nothing was written: run {result.run_id} started from other files")
        refuse_moved_on(self.folder, self.tree, result.run_id)
        write(self.folder, changed)
        return [change.path for change in changed]

    def _show(
        self,
        output: Output,
        result: "RunResult",
        target: Path | None,
        changed: "list[Change]",
        text: str,
    ) -> None:
        import msgspec

        from toolkit.cli.render_run import render_diff, render_result

        console = output.console()
        # Of files that nobody fetched, only those that are new or other are worth a line.
        named = {change.path for change in changed}
        files = [entry for entry in result.files if target or entry.path in named]
        shown = msgspec.structs.replace(result, files=files)
        render_result(console, shown, target, detailed=output.verbose)
        console.print()
        counts = ", ".join(f"{change.path} ({change.kind})" for change in changed) or "nothing"
        console.print(harmless(f"changed: {counts}"))
        render_diff(console, text)


def _document(result: "RunResult", written: list[str], stays: "tuple[Stays, ...]") -> "dict[str, object]":
    """The result, with what was written and what stayed home."""
    import msgspec

    plain: dict[str, object] = msgspec.to_builtins(result)
    return {**plain, "written": written, "stays": [stay._asdict() for stay in stays]}


def _note(output: Output, gathered: "Gathered") -> None:
    """What goes and what stays home, on stderr."""
    output.note(
        f"{len(gathered.tree.files)} files go, {len(gathered.stays)} stay home (--dry-run lists them)"
    )
    # What terraform would read is missed in what is checked; the rest is only what was to be expected.
    missed = [stay for stay in gathered.stays if stay.path.endswith((".tf", ".tf.json"))]
    for stay in missed[:NAMED_AT_MOST]:
        output.note(f"  without {stay.path}: {stay.reason}")
    if len(missed) > NAMED_AT_MOST:
        output.note(f"  … and without {len(missed) - NAMED_AT_MOST} more")
