"""`tfkit verify`: is a folder what a run that was `ok` produced and signed."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolkit.cli.options import Session, command, session
from toolkit.errors import UsageError

if TYPE_CHECKING:
    from toolkit.client import Client
    from toolkit.verifying import Folder, Key

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@command()
@click.argument(
    "folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path), required=False
)
@click.option(
    "--statement",
    type=FILE,
    metavar="FILE",
    help="The run's statement (DIR.tfkit.json, else the platform is asked by the tree's hash).",
)
@click.option(
    "--key",
    "key_file",
    type=FILE,
    metavar="FILE",
    help="The public key (PEM); without it the platform is asked.",
)
@click.option(
    "--write-key",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the platform's public key there, for --key, and do nothing else.",
)
def verify(
    folder: Path | None, statement: Path | None, key_file: Path | None, write_key: Path | None
) -> None:
    """Say whether DIR is what an `ok` run produced and signed.

    Every file in DIR counts but `.git` and `.terraform.lock.hcl`, which may name no other provider version
    than the run was checked with. After `ask --dir` two more do not count, and are named: what git does not
    track and ignores, and files that set up git and tools (.gitignore, .github), unless terraform or the
    signed code reads them. With a statement and --key it needs no platform and no credentials, as in a CI
    job. The exit code is 1 where DIR is not proven: it has no statement, the signature is not by the
    platform's key, or a file was added, is missing or was changed.

    \b
    Examples:
      tfkit verify infra
      tfkit verify --write-key tfkit.pem
      tfkit verify infra --statement infra.tfkit.json --key tfkit.pem
    """
    run = session()
    if write_key:
        _write_key(run, run.client(), write_key)
        return
    if folder is None:
        raise UsageError("say which folder", "tfkit verify DIR")
    from toolkit.verifying import beside, read_folder, unstated
    from toolkit.verifying import verify as hold_against

    file = statement or (found if (found := beside(folder)).is_file() else None)
    client = None if key_file else run.client()
    tree = read_folder(folder, file)
    body, where = _statement(client, tree, file)
    if body is None:
        verdict = unstated(tree, where)
    else:
        verdict = hold_against(tree, body, where, _key(client, key_file))
    if client and run.settings().target == "local":
        run.output.note("signed on this machine's emulator: a rehearsal, and no evidence")
    if run.output.json:
        run.output.document(verdict)
    else:
        from toolkit.cli.render_verify import render_verdict

        render_verdict(run.output.console(), verdict, str(folder))
    click.get_current_context().exit(0 if verdict.ok else 1)


def _statement(client: "Client | None", folder: "Folder", file: Path | None) -> tuple[bytes | None, str]:
    """The statement and where it came from, or None and why there is none."""
    if file:
        return file.read_bytes(), str(file)
    if client is None:
        return None, "there is no statement beside it; name one: --statement FILE"
    from toolkit.verifying import tree_sent

    for tree in (folder.tree, tree_sent(folder)):
        if tree and (found := client.statement_of_tree(tree)):
            return found, "the platform's runs"
    return (
        None,
        "no run of this platform made exactly this; its statement says what differs: --statement FILE",
    )


def _key(client: "Client | None", file: Path | None) -> "Key":
    """The key to check with, of the file or of the platform. Raises `UsageError` for a file without one."""
    from toolkit.dsse import with_public_key
    from toolkit.verifying import Key

    if file is None:
        assert client is not None, "without a file the platform is asked"
        arn, der = client.public_key()
        return Key(arn, arn, with_public_key(der))
    try:
        return Key(str(file), "", with_public_key(file.read_bytes()))
    except ValueError as error:
        raise UsageError(
            f"{file} holds no public key: {error}", "write it with: tfkit verify --write-key FILE"
        ) from error


def _write_key(run: Session, client: "Client", file: Path) -> None:
    from toolkit.dsse import to_pem

    arn, der = client.public_key()
    pem = to_pem(der)
    if file.exists() and file.read_bytes() != pem:
        raise UsageError(f"{file} exists and holds something else", "choose another file")
    file.write_bytes(pem)
    if run.output.json:
        run.output.document({"key": arn, "file": str(file)})
    else:
        run.output.say(f"the public key of {arn} is in {file}")
