"""The errors that tfkit raises on purpose, each with its exit code and the next step for the reader.

    TfkitError                 1   something failed; the message says what, the hint what to do next
    ├── UsageError             2   wrong usage, or a pinned account or region that differs
    ├── NotConverged           3   the run ended without the validators agreeing
    ├── NothingDeployed        4   there is no platform of this name
    ├── BudgetExceeded         5   a budget of turns, tokens, dollars or seconds ran out
    ├── FindingsFound          6   findings at or above `--fail-on`
    ├── PlatformError          1   a failure of the platform: never the model's fault, never shown to it
    │   └── ToolMissing        1   an executable or a provider that cannot be had here
    ├── ModelFailed            1   the model could not be reached, or answered badly
    ├── TelemetryFailed        1   records of a run were not accepted anywhere
    ├── DeployFailed           1   the engine could not finish; state is consistent and `up` goes on
    ├── EmulatorFailed         1   the local emulator did not start or died
    └── Interrupted          130   Ctrl-C

A traceback reaches a user only with `-v`.
"""


class TfkitError(Exception):
    """What happened (`message`) and what to do next (`hint`, may be empty)."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(TfkitError):
    """The command was given something it cannot take; the message names the valid forms."""

    exit_code = 2


class NotConverged(TfkitError):
    """The run ended and the required validators do not agree with its tree."""

    exit_code = 3


class NothingDeployed(TfkitError):
    """No platform of this name on this target."""

    exit_code = 4


class BudgetExceeded(TfkitError):
    """A budget ran out; what was made until then is stored."""

    exit_code = 5


class FindingsFound(TfkitError):
    """`validate` found something at or above the threshold."""

    exit_code = 6


class PlatformError(TfkitError):
    """The platform failed (disk full, no provider to be had): ends a run as `error`."""


class ToolMissing(PlatformError):
    """An executable or a provider is not there; the hint says how to get it."""


class ModelFailed(TfkitError):
    """The model could not be reached, timed out, or gave an answer that cannot be used."""


class TelemetryFailed(TfkitError):
    """A run's records were accepted neither by Firehose nor by the bucket."""


class DeployFailed(TfkitError):
    """The engine stopped before the end; what it did is in the state."""


class EmulatorFailed(TfkitError):
    """The emulator did not become ready, or is gone."""


class Interrupted(TfkitError):
    """The user pressed Ctrl-C."""

    exit_code = 130
