"""Validators in threads, each within its deadline, each ending as one result whatever it raises."""

import threading
import time
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from opentelemetry import context as otel_context
from opentelemetry.trace import Span, Status, StatusCode, Tracer

from toolkit.checker.selection import ValidatorSettings
from toolkit.checker.sound import sound_findings
from toolkit.checker.validator import Stage, Validator
from toolkit.contracts import CheckResult, Finding, Tool
from toolkit.errors import TfkitError

GRACE_S = 5.0
"""Seconds past its deadline in which a validator may still come to its end; then it is given up."""


class Configured:
    """A validator with its settings: it sees its own deadline (seconds) and options on the stage."""

    def __init__(self, validator: Validator, settings: ValidatorSettings, usual_s: float | None) -> None:
        self.name = validator.name
        self.deadline_s = settings.deadline_s or usual_s
        self._validator = validator
        self._options = settings.options

    def tool(self) -> Tool | None:
        """As the validator says."""
        return self._validator.tool()

    def check(self, stage: Stage) -> Iterable[Finding] | CheckResult:
        """As the validator finds, on a stage with its settings."""
        deadline_s = self.deadline_s or stage.deadline_s
        return self._validator.check(
            msgspec.structs.replace(stage, deadline_s=deadline_s, options=self._options)
        )


def configured(
    validators: Iterable[Validator],
    settings: Mapping[str, ValidatorSettings],
    deadlines: Mapping[str, float] | None = None,
) -> list[Validator]:
    """Each validator with its settings, by name; one of which nothing was said has the defaults.

    `deadlines` are seconds, for those that usually take longer than the others.
    """
    usual = deadlines or {}
    return [Configured(v, settings.get(v.name, ValidatorSettings()), usual.get(v.name)) for v in validators]


def run_validators(validators: Sequence[Validator], view: Stage, tracer: Tracer) -> dict[str, CheckResult]:
    """Run each validator in a thread of its own, with a span; one result for each, by its name."""
    results: dict[str, CheckResult] = {}
    parent = otel_context.get_current()

    def work(validator: Validator) -> None:
        with tracer.start_as_current_span(f"validator {validator.name}", context=parent) as span:
            result = run_validator(validator, view)
            describe(span, result)
        results.setdefault(validator.name, result)

    # Daemons: a thread that hangs in Python cannot be ended, and must not hold up the exit. Only tfkit's own
    # validators run in one; somebody else's is a process (`foreign`), which is killed.
    threads = [threading.Thread(target=work, args=[v], daemon=True, name=v.name) for v in validators]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread, validator in zip(threads, validators, strict=True):
        deadline_s = _deadline_of(validator, view)
        thread.join(max(0.0, started + deadline_s + GRACE_S - time.monotonic()))
        late = f"the validator {thread.name} took longer than {deadline_s:g} s"
        results.setdefault(thread.name, CheckResult(validator=thread.name, status="error", detail=late))
    return results


def _deadline_of(validator: Validator, view: Stage) -> float:
    """Seconds; a validator with settings may have a deadline of its own."""
    own: float | None = getattr(validator, "deadline_s", None)
    return own or view.deadline_s


def run_validator(validator: Validator, view: Stage) -> CheckResult:
    """Run one validator; whatever it raises becomes a result with status `error` that names it."""
    started = time.monotonic()
    name, tool = validator.name, None

    def failed(detail: str) -> CheckResult:
        return CheckResult(validator=name, status="error", detail=detail)

    try:
        tool = validator.tool()
        result = _result(validator.check(view), name)
    except TimeoutError as error:
        late = f"the validator {name} took longer than {_deadline_of(validator, view):g} s"
        result = failed(str(error) or late)
    except TfkitError as error:
        result = failed(f"{name}: {error.message}" + (f" ({error.hint})" if error.hint else ""))
    except BaseException as error:  # noqa: BLE001 - it may raise anything, SystemExit among it
        result = failed(f"the validator {name} failed: {type(error).__name__}: {error}")
    return msgspec.structs.replace(result, seconds=time.monotonic() - started, tool=tool)


def _result(found: Iterable[Finding] | CheckResult, name: str) -> CheckResult:
    """What a validator came to, with findings that are sound."""
    if isinstance(found, CheckResult):
        return msgspec.structs.replace(found, validator=name, findings=sound_findings(found.findings, name))
    findings = sound_findings(found, name)
    return CheckResult(validator=name, status="findings" if findings else "ok", findings=findings)


def describe(span: Span, result: CheckResult) -> None:
    """Put a result on its span, as an error where the check did not come to an end."""
    span.set_attribute("tfkit.validator", result.validator)
    span.set_attribute("tfkit.status", result.status)
    span.set_attribute("tfkit.findings", len(result.findings))
    if result.status == "error":
        span.set_status(Status(StatusCode.ERROR, result.detail))
