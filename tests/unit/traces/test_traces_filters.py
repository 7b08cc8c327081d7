from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from traces_runs import index_of, lines_of

from toolkit.traces import query
from toolkit.traces.query import Filters

RUNS = {
    "run-fine-0001": {"cost": 0.5},
    "run-poor-0001": {"cost": None, "model": "local", "status": "not_converged"},
    "run-dead-0001": {"cost": 0.02, "status": "error", "error": "it broke"},
}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), {"run-fine-0001", "run-poor-0001", "run-dead-0001"}),
        (Filters(models=["local", "other"]), {"run-poor-0001"}),
        (Filters(statuses=["ok"]), {"run-fine-0001"}),
        (Filters(statuses=["error", "not_converged"]), {"run-poor-0001", "run-dead-0001"}),
        (Filters(errors=True), {"run-poor-0001", "run-dead-0001"}),
        (Filters(errors=True, models=["haiku"]), {"run-dead-0001"}),
        (Filters(min_cost=0.02), {"run-fine-0001", "run-dead-0001"}),
        (Filters(min_cost=0), {"run-fine-0001", "run-dead-0001"}),
        (Filters(limit=1), {"run-dead-0001"}),
        (Filters(models=["' OR 1=1 --"]), set()),
    ],
)
def test_each_filter_leaves_out_what_it_should(tmp_path: Path, filters: Filters, expected: set):
    index = index_of(tmp_path / "i", *(lines_of(run_id, **changes) for run_id, changes in RUNS.items()))
    now = datetime.now(UTC)
    with index.open() as connection:
        found = query.list_runs(connection, now - timedelta(hours=1), now + timedelta(hours=1), filters)
    assert {row.run_id for row in found} == expected
