"""Which validators run, with what settings, and which of their results close the gate.

    tfkit.toml, --validators ──▶ Choice ──(TFKIT_VALIDATORS)──▶ select ──▶ Selection ──▶ checker ──▶ closing

A `Choice` is what the user said and travels to the deployed agent as JSON; what is installed is known only
where the checks run, so it becomes a `Selection` there. Nothing here imports a validator.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import msgspec

from toolkit.contracts import (
    SEVERITIES,
    CheckReport,
    CheckResult,
    Finding,
    Severity,
    Shape,
    SkippedCheck,
    to_json,
)
from toolkit.errors import PlatformError, UsageError

ENVIRONMENT_NAME = "TFKIT_VALIDATORS"

MAX_TEXT_BYTES = 3000
"""Of a choice as JSON. All variables of a Lambda function together may take 4 KB:
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""

THRESHOLDS: dict[str, Severity] = {"tflint": "medium", "checkov": "medium"}
"""The lowest severity that closes the gate, where it is not `LOWEST`: notices of tflint and what
`plugins.checkov` calls low are advice about taste or cost, which an account may follow or not."""

LOWEST: Severity = "low"
"""The threshold of every other validator; `info` never closes unless it is set."""


class ValidatorSettings(Shape, frozen=True):
    """`[validators.NAME]` of `tfkit.toml`.

    A section is enough to have the validator run; `enabled = false` keeps it from running. One that is not
    `required` runs and reports, and closes nothing. `deadline_s` are seconds. `options` are the validator's
    own.
    """

    enabled: bool = True
    required: bool = True
    threshold: Severity | None = None
    deadline_s: Annotated[float, msgspec.Meta(gt=0, le=900)] | None = None
    options: dict[str, Any] = {}


class Choice(Shape, frozen=True):
    """What the user said: exactly the validators `named`, or without names the defaults and the settings."""

    named: tuple[str, ...] = ()
    settings: dict[str, ValidatorSettings] = {}

    def to_text(self) -> str:
        """For the environment of the agent's function; empty where nothing was said.

        Raises `UsageError` where it is too long to travel there.
        """
        if self == Choice():
            return ""
        text = to_json(self).decode()
        if (size := len(text.encode())) > MAX_TEXT_BYTES:
            raise UsageError(
                f"the settings of the validators take {size} bytes; a function has room for {MAX_TEXT_BYTES}",
                "shorten the options or the policy file of [validators.…] in tfkit.toml",
            )
        return text


def from_text(text: str) -> Choice:
    """A choice as `Choice.to_text` wrote it. Raises `PlatformError` where it is none: nothing is guessed."""
    if not text:
        return Choice()
    try:
        return msgspec.json.decode(text, type=Choice)
    except msgspec.MsgspecError as error:
        raise PlatformError(f"{ENVIRONMENT_NAME} cannot be read: {error}", "run `tfkit up`") from error


class Selection(Shape, frozen=True):
    """The validators that run, in order, with their settings, and those that do not, with the reason."""

    names: tuple[str, ...]
    settings: dict[str, ValidatorSettings] = {}
    skipped: list[SkippedCheck] = []

    def of(self, name: str) -> ValidatorSettings:
        """The settings of a validator; what was not said is as by default."""
        return self.settings.get(name, ValidatorSettings())

    def threshold(self, name: str) -> Severity:
        """The lowest severity of a finding of this validator that closes the gate."""
        return self.of(name).threshold or THRESHOLDS.get(name, LOWEST)


def parse_names(text: str) -> tuple[str, ...]:
    """The names of `--validators a,b`, each once. Raises `UsageError` where there is none."""
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not names:
        raise UsageError("no validators were named", "use --validators fmt,validate")
    return names


def select(choice: Choice, defaults: Iterable[str], absent: Mapping[str, str]) -> Selection:
    """What runs: the names given; else the `defaults` and whatever has a section in the settings.

    `absent` are defaults that cannot run here, with the reason; a section makes one of them required all
    the same, and it will be an error. A name is not looked up: `load_validators` refuses one that is not
    installed.
    """
    off = [name for name, settings in choice.settings.items() if not settings.enabled]
    wanted = choice.named or [*defaults, *choice.settings]
    names = tuple(dict.fromkeys(name for name in wanted if choice.named or name not in off))
    skipped = [SkippedCheck(validator=name, reason="enabled = false in tfkit.toml") for name in off]
    skipped += [SkippedCheck(validator=name, reason=why) for name, why in absent.items() if name not in off]
    skipped = [check for check in skipped if check.validator not in names]
    return Selection(names=names, settings=choice.settings, skipped=skipped)


def without_rehearsal(selection: Selection) -> Selection:
    """The same without `rehearse`, which nobody wants then."""
    names = tuple(name for name in selection.names if name != "rehearse")
    return msgspec.structs.replace(selection, names=names)


class Closed(Shape, frozen=True):
    """Something that keeps the gate closed. `failed` says that a check did not come to its end."""

    validator: str
    reason: str
    failed: bool = False


def closing(report: CheckReport, selection: Selection, fail_on: Severity | None = None) -> list[Closed]:
    """What keeps the gate closed; empty where it is open.

    Findings count from each validator's threshold on, or, with `fail_on`, from that severity for all. What
    refused the tree before a validator saw it (staging, scan) closes always, and so does a required validator
    that failed, or of which the report says nothing.
    """
    found = [closed for result in report.results if (closed := _closes(result, selection, fail_on))]
    refused = any(result.validator not in selection.names for result in report.results)
    spoke = {result.validator for result in report.results}
    for name in selection.names:
        if name not in spoke and not refused and selection.of(name).required:
            found.append(Closed(validator=name, reason="the checker said nothing of it", failed=True))
    return found


def _closes(result: CheckResult, selection: Selection, fail_on: Severity | None) -> Closed | None:
    name = result.validator
    chosen = name in selection.names
    if chosen and not selection.of(name).required:
        return None
    # Only the rehearsal may leave something open: an emulator has gaps, a linter has none.
    if result.status == "error" or (result.status in ("unsupported", "slow") and name != "rehearse"):
        return Closed(validator=name, reason=result.detail or f"it ended as {result.status}", failed=True)
    if result.status == "findings" and not result.findings:
        return Closed(validator=name, reason="it speaks of findings and names none", failed=True)
    counted = counting(result, selection, fail_on)
    if not counted:
        return None
    lowest = _lowest(name, selection, fail_on)
    return Closed(validator=name, reason=f"{len(counted)} at or above {lowest}")


def counting(result: CheckResult, selection: Selection, fail_on: Severity | None = None) -> list[Finding]:
    """The findings of a result that count; the others are told, and nobody has to mend them."""
    lowest = _lowest(result.validator, selection, fail_on)
    return [finding for finding in result.findings if at_least(finding.severity, lowest)]


def _lowest(name: str, selection: Selection, fail_on: Severity | None) -> Severity:
    if name not in selection.names:
        return "info"
    return fail_on or selection.threshold(name)


def at_least(severity: Severity, lowest: Severity) -> bool:
    """Whether a severity is this one or graver."""
    return SEVERITIES.index(severity) >= SEVERITIES.index(lowest)
