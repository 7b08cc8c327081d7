"""Validators in threads, each within its deadline, each ending as one result whatever it raises."""

import threading
import time
from collections.abc import Sequence

from opentelemetry import context as otel_context
from opentelemetry.trace import Span, Status, StatusCode, Tracer

from toolkit.checker.validator import Stage, Validator
from toolkit.contracts import CheckResult, Finding
from toolkit.errors import TfkitError

GRACE_S = 5.0
"""Seconds past its deadline in which a validator may still come to its end; then it is given up."""


def run_validators(validators: Sequence[Validator], view: Stage, tracer: Tracer) -> dict[str, CheckResult]:
    """Run each validator in a thread of its own, with a span; one result for each, by its name."""
    results: dict[str, CheckResult] = {}
    parent = otel_context.get_current()

    def work(validator: Validator) -> None:
        with tracer.start_as_current_span(f"validator {validator.name}", context=parent) as span:
            result = run_validator(validator, view)
            describe(span, result)
        results.setdefault(validator.name, result)

    # Daemons, because a validator that hangs in Python cannot be ended, and must not hold up the exit.
    threads = [threading.Thread(target=work, args=[v], daemon=True, name=v.name) for v in validators]
    for thread in threads:
        thread.start()
    give_up = time.monotonic() + view.deadline_s + GRACE_S
    for thread in threads:
        thread.join(max(0.0, give_up - time.monotonic()))
        late = f"the validator {thread.name} took longer than {view.deadline_s:g} s"
        results.setdefault(thread.name, CheckResult(validator=thread.name, status="error", detail=late))
    return results


def run_validator(validator: Validator, view: Stage) -> CheckResult:
    """Run one validator; whatever it raises becomes a result with status `error` that names it."""
    started = time.monotonic()
    name, detail, found, tool = validator.name, "", list[Finding](), None
    try:
        tool = validator.tool()
        found = list(validator.check(view))
    except TimeoutError as error:
        detail = str(error) or f"the validator {name} took longer than {view.deadline_s:g} s"
    except TfkitError as error:
        detail = f"{name}: {error.message}" + (f" ({error.hint})" if error.hint else "")
    except Exception as error:  # noqa: BLE001 - a plugin is other people's code and may raise anything
        detail = f"the validator {name} failed: {type(error).__name__}: {error}"
    status = "error" if detail else "findings" if found else "ok"
    seconds = time.monotonic() - started
    return CheckResult(
        validator=name, status=status, findings=found, seconds=seconds, tool=tool, detail=detail
    )


def describe(span: Span, result: CheckResult) -> None:
    """Put a result on its span, as an error where the check did not come to an end."""
    span.set_attribute("tfkit.validator", result.validator)
    span.set_attribute("tfkit.status", result.status)
    span.set_attribute("tfkit.findings", len(result.findings))
    if result.status == "error":
        span.set_status(Status(StatusCode.ERROR, result.detail))
