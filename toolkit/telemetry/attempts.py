"""How an attempt stands in the trace: a span of its own, from where its work began to the gate's answer.

It is named `attempt N` and carries what the gate found, so that the record alone tells how a run came to its
end: `traces`, `stats` and the views read it from there. What the validators said is JSON text (a list of
`contracts.Finding`), which moves out of the span like any long text; its tokens and dollars have the names
that the root span uses.
"""

import time
from typing import TYPE_CHECKING

from toolkit.contracts import Attempt, to_json
from toolkit.telemetry import names

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

SPAN = "attempt"
"""What the span's name begins with; a space and its number follow."""

NUMBER = "tfkit.attempt.n"  # counts from 1
TREE = "tfkit.attempt.tree"  # a contracts.Tree.hash
VALIDATORS = "tfkit.attempt.validators"  # JSON: name → contracts.CheckStatus
FINDINGS = "tfkit.attempt.findings"  # JSON: a list of contracts.Finding


def record_attempt(tracer: "Tracer", attempt: Attempt) -> None:
    """Put an attempt that has just ended into the trace, under the current span."""
    ended = time.time_ns()
    span = tracer.start_span(
        f"{SPAN} {attempt.n}",
        start_time=ended - int(attempt.seconds * 1e9),
        attributes={
            NUMBER: attempt.n,
            TREE: attempt.tree,
            VALIDATORS: to_json(attempt.validators).decode(),
            FINDINGS: to_json(attempt.findings).decode(),
            names.INPUT_TOKENS: attempt.usage.input_tokens,
            names.OUTPUT_TOKENS: attempt.usage.output_tokens,
        },
    )
    if attempt.usage.cost_usd is not None:
        span.set_attribute(names.COST_USD, attempt.usage.cost_usd)
    span.end(ended)
