"""Athena answers for windows that are too large to be read to this machine: the list of runs, and `--sql`.

https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html
https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryResults.html
"""

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from toolkit.cloud import Cloud
from toolkit.contracts import TraceSummary
from toolkit.errors import TfkitError, UsageError
from toolkit.traces.athena_views import with_views
from toolkit.traces.query import EVERYTHING, FINE, Filters
from toolkit.traces.sql import MAX_ROWS, Table

RESULTS = "runs/athena/"
"""Runs bucket: where Athena puts its answers; they expire as the runs do."""

FIRST_LOOK_S, LONGEST_WAIT_S = 0.25, 2.0

_TYPES: dict[str, Callable[[str], object]] = {
    "bigint": int,
    "integer": int,
    "smallint": int,
    "tinyint": int,
    "double": float,
    "float": float,
    "boolean": lambda text: text == "true",
}


class Athena:
    """The records of one platform as Athena sees them. Methods raise TfkitError where it refuses."""

    def __init__(
        self,
        cloud: Cloud,
        database: str,
        table: str,
        runs_bucket: str,
        *,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = cloud.client("athena")
        self._database = database
        self._table = f'"{database}"."{table}"'
        self._output = f"s3://{runs_bucket}/{RESULTS}"
        self._sleep = sleep
        self._clock = clock

    def list(
        self, since: datetime, until: datetime, filters: Filters = EVERYTHING, seconds: float = 300
    ) -> list[TraceSummary]:
        """The runs that began in the window, newest first; like `Traces.list`."""
        columns = ", ".join(TraceSummary.__struct_fields__)
        query = f"SELECT {columns} FROM runs WHERE {' AND '.join(_conditions(since, until, filters))}"  # noqa: S608
        query += " ORDER BY start DESC, run_id"
        if filters.limit is not None:
            query += f" LIMIT {filters.limit}"
        found = self.sql(query, since, until, seconds)
        return [TraceSummary(**dict(zip(found.columns, row, strict=True))) for row in found.rows]  # pyrefly: ignore

    def sql(
        self, query: str, since: datetime, until: datetime, seconds: float, limit: int | None = None
    ) -> Table:
        """The answer to a query of the views over the days of the window, in so many seconds.

        Raises UsageError for a query that Athena cannot answer, or not in time; it is then stopped.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            identity = self._client.start_query_execution(
                QueryString=with_views(query.strip().rstrip(";"), self._table, since, until),
                QueryExecutionContext={"Database": self._database},
                ResultConfiguration={"OutputLocation": self._output},
            )["QueryExecutionId"]
            self._wait(identity, seconds)
            return self._results(identity, limit or MAX_ROWS)
        except (ClientError, BotoCoreError) as error:
            hint = "may you use Athena, read the Glue table and both buckets, and write to the runs bucket?"
            raise TfkitError(f"Athena refused: {error}", hint) from error

    def _wait(self, identity: str, seconds: float) -> None:
        """Until it is answered. Whoever leaves before, also by Ctrl-C, has it stopped: it is not free."""
        deadline, pause, ended = self._clock() + seconds, FIRST_LOOK_S, False
        try:
            while not ended:
                status = self._client.get_query_execution(QueryExecutionId=identity)["QueryExecution"][
                    "Status"
                ]
                ended = status["State"] in ("SUCCEEDED", "FAILED", "CANCELLED")
                if ended and status["State"] != "SUCCEEDED":
                    why = status.get("StateChangeReason") or status["State"].lower()
                    raise UsageError(
                        f"Athena cannot answer the query: {why}", "see: tfkit traces --sql .schema"
                    )
                if not ended and self._clock() >= deadline:
                    message = f"Athena took longer than {seconds:g} seconds"
                    raise UsageError(message, "narrow the window, or give it more with --timeout")
                if not ended:
                    self._sleep(pause)
                    pause = min(pause * 2, LONGEST_WAIT_S)
        finally:
            if not ended:
                self._client.stop_query_execution(QueryExecutionId=identity)

    def _results(self, identity: str, limit: int) -> Table:
        columns: list[str] = []
        types: list[str] = []
        rows: list[list[object]] = []
        pages = self._client.get_paginator("get_query_results").paginate(QueryExecutionId=identity)
        for page in pages:
            found: list[dict[str, Any]] = page["ResultSet"]["Rows"]
            if not columns:
                info = page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
                columns, types = [one["Name"] for one in info], [one["Type"] for one in info]
                found = found[1:]  # the first row of all is the names
            rows += [
                [_value(cell, kind) for cell, kind in zip(row["Data"], types, strict=True)] for row in found
            ]
            if len(rows) > limit:
                return Table(columns, rows[:limit], True)
        return Table(columns, rows, False)


def _value(cell: dict[str, str], kind: str) -> object:
    if (text := cell.get("VarCharValue")) is None:
        return None
    return _TYPES.get(kind, str)(text)


def _conditions(since: datetime, until: datetime, filters: Filters) -> Iterator[str]:
    from toolkit.traces.query import nanoseconds, rfc3339

    yield f"start >= {_text(rfc3339(nanoseconds(since)))}"
    yield f"start < {_text(rfc3339(nanoseconds(until)))}"
    if filters.errors:
        yield f"status NOT IN ({', '.join(map(_text, FINE))})"
    if filters.models:
        yield f"model IN ({', '.join(map(_text, filters.models))})"
    if filters.statuses:
        yield f"status IN ({', '.join(map(_text, filters.statuses))})"
    if filters.min_cost is not None:
        yield f"cost_usd >= {filters.min_cost!r}"


def _text(value: str) -> str:
    """A text as SQL has it."""
    return "'" + value.replace("'", "''") + "'"
