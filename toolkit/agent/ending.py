"""How a run ends: filled in as it goes, told by its errors, and said in the root of its trace."""

import logging
from collections.abc import Generator
from contextlib import contextmanager

from opentelemetry.trace import Span, Status, StatusCode

from toolkit.agent.gate import Outcome
from toolkit.agent.ledger import Ledger
from toolkit.agent.record import MAX_ERROR, Cancelled
from toolkit.contracts import Attempt, CheckReport, RunStatus, Tree
from toolkit.errors import BudgetExceeded, TfkitError
from toolkit.telemetry import names
from toolkit.telemetry.otlp import clean

log = logging.getLogger(__name__)

DISAGREE = "the validators do not agree with the files"
NOTHING_WRITTEN = "the model wrote no files"
NOTHING_CHANGED = "the model changed no file"


class Ending:
    """How the run ended, filled in as it goes, so that an error loses nothing of what was there."""

    def __init__(self) -> None:
        self.status: RunStatus = "error"
        self.output = ""
        self.tree = Tree()
        self.attempts: list[Attempt] = []
        self.error: str | None = None
        self.report: CheckReport | None = None
        self.terminate = False


@contextmanager
def errors_into(ending: Ending) -> Generator[None, None, None]:
    """Turn an error into the run's ending: the run is over, its record is not."""
    try:
        yield
    except Exception as error:  # whatever it was, the run must end with a status
        ending.status = _status_after(error, ending.status)
        if isinstance(error, TfkitError):
            said = f"{error.message}; {error.hint}" if error.hint else error.message
            log.warning("%s", said)
        else:
            log.error("the run failed", exc_info=error)
            said = f"tfkit failed: {type(error).__name__}: {error}"
        said = clean(said[:MAX_ERROR])  # an upstream's words may be of any size and of any letters
        # What failed first is the cause, and stays in front.
        ending.error = f"{ending.error}; then: {said}" if ending.error else said


def _status_after(error: Exception, before: RunStatus) -> RunStatus:
    """How a run ends that met this error. One that was cancelled stays so, whatever else fails in its end."""
    if isinstance(error, Cancelled) or before == "cancelled":
        return "cancelled"
    return "budget_exceeded" if isinstance(error, BudgetExceeded) else "error"


def why_not(outcome: Outcome) -> str:
    """Why a run did not converge."""
    why = DISAGREE if outcome.tree.files else NOTHING_WRITTEN
    if not outcome.repeats:
        return why
    last = outcome.attempts[-1].n
    return (
        f"{why}, and the model repeats itself: attempts {last - outcome.repeats + 1} to {last} have the same "
        "files and the same findings, so it was not asked again"
    )


def describe(span: Span, chosen: str, ending: Ending, ledger: Ledger, parts: int = 1) -> None:
    """What the trace's root says of the run; the reader makes its row from it."""
    span.set_attributes(
        {
            names.STATUS: ending.status,
            names.MODEL: chosen,
            names.INPUT_TOKENS: ledger.input_tokens,
            names.OUTPUT_TOKENS: ledger.output_tokens,
            names.TOOL_CALLS: ledger.tool_calls,
            names.ATTEMPTS: len(ending.attempts),
            names.MODEL_RETRIES: ledger.retries,
        }
    )
    if ledger.requests and ledger.cost_usd is not None:
        span.set_attribute(names.COST_USD, ledger.cost_usd)
    if parts > 1:
        span.set_attribute(names.PARTS, parts)
    if ending.status != "ok":
        span.set_attribute(names.ERROR, ending.error or ending.status)
        span.set_status(Status(StatusCode.ERROR, ending.error or ending.status))
