"""`traces --html FILE`: the runs that were listed, as a page."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.cli.options import Session
from toolkit.contracts import TraceSummary

if TYPE_CHECKING:
    from toolkit.deploy.platform import Platform
    from toolkit.traces import Traces


def write_runs(
    run: Session,
    platform: "Platform",
    reader: "Traces",
    rows: Sequence[TraceSummary],
    file: Path,
    window: str = "",
) -> None:
    """Write the page of these runs and say where it is; `window` says of which time they are."""
    from toolkit.traces.fetch import Bucket
    from toolkit.traces.page import collect, write_page

    settings = platform.settings
    where = (
        settings.target,
        f"account {platform.account}",
        settings.region,
        f"stack {settings.stack}",
        window,
    )
    bucket = Bucket(platform.cloud, platform.outputs().runs_bucket)
    details = collect(reader.run, bucket.get, [row.run_id for row in rows])
    heading = " · ".join(part for part in where if part)
    written = write_page(file, rows, details, heading, reader.pending())
    if run.output.json:
        found = {"file": str(file), "bytes": written.size, "runs": len(rows), "detailed": written.detailed}
        run.output.document(found)
        return
    runs = "1 run" if len(rows) == 1 else f"{len(rows)} runs"
    run.output.say(f"wrote {file}: {runs}, {written.size / 1e6:.1f} MB")
    if written.detailed < len(rows):
        run.output.say(f"  only the newest {written.detailed} are told in full: the page would be too large")
