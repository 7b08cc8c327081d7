"""`tfkit audit`: list what was signed, and verify the record."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolkit.cli.options import CONTEXT, Command, Session, group, session

if TYPE_CHECKING:
    from toolkit.audit import Report
    from toolkit.audit.baseline import Baseline
    from toolkit.audit.evidence import Evidence


@group()
def audit() -> None:
    """Show what was signed of the record, and verify it.

    Without a command it lists the signed digests of the last seven days.

    \b
    Examples:
      tfkit audit
      tfkit audit verify --since 30d
    """
    ctx = click.get_current_context()
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_digests, since="7d")


@audit.command("list", cls=Command, context_settings=CONTEXT)
@click.option("--since", default="7d", metavar="WHEN", help="1d, 12h, 30m, 2w, or a date (7d).")
def list_digests(since: str) -> None:
    """List the signed digests, newest first.

    Whether they hold is what `audit verify` says.

    \b
    Examples:
      tfkit audit list
      tfkit audit list --since 30d --json
    """
    from datetime import UTC, datetime

    from toolkit.audit.signed import listed
    from toolkit.cli.listing import render_rows
    from toolkit.traces import parse_time

    start = parse_time(since, datetime.now(UTC))
    run = session()
    evidence = _evidence(run)
    found = listed(evidence, start)
    if run.output.json:
        run.output.document(found)
    elif not found:
        run.output.say("no digest was signed yet: that is done each hour, while the platform is up")
    else:
        rows = [
            (str(d.number), f"{d.at[:19]}Z", str(d.objects), str(d.chains), d.until[:19] + "Z") for d in found
        ]
        render_rows(
            run.output.console(), ("digest", "signed", "objects", "chains closed", "covers until"), rows
        )


@audit.command("verify", cls=Command, context_settings=CONTEXT)
@click.option("--since", default="7d", metavar="WHEN", help="1d, 12h, 30m, 2w, or a date (7d).")
@click.option(
    "--digest",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Check against this digest too; where there is no such file, write it.",
)
def verify(since: str, file: Path | None) -> None:
    """Verify that the record is whole, unaltered, signed and under lock.

    Changes nothing. With `--digest FILE` it also checks that all that the file names is there as it was,
    from the file's own window on; the first time, when there is no file and no problem, it writes it: keep it
    where nobody of this account can write. The exit code is 1 where there is a problem.

    \b
    Examples:
      tfkit audit verify --since 30d
      tfkit audit verify --digest /mnt/safe/2026-11.json
    """
    from datetime import UTC, datetime

    from toolkit.audit import verify as check
    from toolkit.audit.baseline import Baseline, refuse_other
    from toolkit.traces import parse_time

    now = datetime.now(UTC)
    start = parse_time(since, now)
    kept = Baseline.load(file) if file else None
    run = session()
    evidence = _evidence(run)
    if kept and file:
        refuse_other(kept, file, evidence.stack, evidence.account, evidence.outputs.audit_bucket)
    days = run.settings().runs_expire_days
    report, found = check(evidence, start, now, kept=kept, contents_kept_days=days)
    said = _digest_file(file, kept, found, report)
    _show(run, report, said)
    click.get_current_context().exit(0 if report.ok else 1)


def _evidence(run: Session) -> "Evidence":
    from toolkit.audit.evidence import Evidence

    platform = run.platform()
    return Evidence(platform.cloud, platform.outputs(), platform.settings.stack)


def _digest_file(
    file: Path | None, kept: "Baseline | None", found: "Baseline", report: "Report"
) -> dict[str, str]:
    """What became of the file: checked, written, or not written because of the problems."""
    if file is None:
        return {}
    if kept:
        return {"file": str(file), "action": "checked", "at": kept.at}
    if not report.ok:
        return {"file": str(file), "action": "refused"}
    return {"file": str(file), "action": "written", "sha256": found.save(file)}


def _show(run: Session, report: "Report", digest_file: dict[str, str]) -> None:
    import msgspec

    if run.output.json:
        document = msgspec.to_builtins(report)
        run.output.document({**document, "digest": digest_file} if digest_file else document)
        return
    from toolkit.cli.render_audit import render_report

    render_report(run.output.console(), report, digest_file)
