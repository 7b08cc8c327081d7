"""Runs as the writer makes them, in an index, without any bucket."""

from pathlib import Path

from toolkit.contracts import Attempt, Finding, Usage
from toolkit.telemetry import names
from toolkit.telemetry.attempts import record_attempt
from toolkit.telemetry.run import RunTelemetry
from toolkit.telemetry.testing import MemorySink
from toolkit.traces.index import Index
from toolkit.traces.ingest import Fetched, ingest
from toolkit.traces.ingested import Ingested


def finding(rule: str, **changes) -> Finding:
    values = {"validator": "checkov", "rule": rule, "severity": "high", "message": f"{rule} is not met"}
    return Finding(**{**values, **changes})


def attempt(n: int, *findings: Finding, seconds: float = 1.0) -> Attempt:
    status = "findings" if findings else "ok"
    usage = Usage(requests=1, input_tokens=100 * n, output_tokens=10 * n, cost_usd=0.001 * n)
    return Attempt(
        n=n, tree=f"sha256:{n}", validators={"fmt": "ok", "checkov": status}, findings=list(findings),
        usage=usage, seconds=seconds,
    )  # fmt: skip


def lines_of(
    run_id: str,
    *attempts: Attempt,
    status: str = "ok",
    model: str = "haiku",
    cost: float | None = 0.01,
    error: str = "",
    tools: tuple[str, ...] = ("write_file",),
) -> list[bytes]:
    """The lines of a run with these attempts, one flush after each."""
    sink = MemorySink()
    telemetry = RunTelemetry(run_id, "dev", sink)
    with telemetry.run_span() as root:
        for tool in tools:
            found = {names.OPERATION: "execute_tool", names.TOOL_NAME: tool}
            telemetry.tracer.start_span(f"execute_tool {tool}", attributes=found).end()
        for one in attempts:
            record_attempt(telemetry.tracer, one)
            telemetry.flush()
        root.set_attributes(
            {names.STATUS: status, names.MODEL: model, names.INPUT_TOKENS: 1000, names.OUTPUT_TOKENS: 50}
        )
        if cost is not None:
            root.set_attribute(names.COST_USD, cost)
        if error:
            root.set_attribute(names.ERROR, error)
    telemetry.close()
    return [line.data for line in sink.lines[run_id]]


def index_of(path: Path, *runs: list[bytes], source: str = "source") -> Index:
    """An index that holds these runs, each in an object of its own."""
    index = Index(path, source)
    with index.open() as connection:
        bodies = [Fetched("audit", str(number), b"".join(lines), True) for number, lines in enumerate(runs)]
        ingest(connection, bodies, Ingested())
    return index
