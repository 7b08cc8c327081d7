"""The function's own log, on standard output, from which Lambda takes it: by run, and without secrets.

An upstream's error, or a model's words in a traceback, may hold a secret. Lambda makes an event of each line,
so every line, those of a traceback too, begins with the run's id: so `tfkit logs --run` finds them.
"""

import logging
import sys

from typing_extensions import override

from toolkit.telemetry.redact import redact

FORMAT = "%(levelname)s %(name)s %(message)s"


class RunFormatter(logging.Formatter):
    """Redacts the whole entry after it is put together, and puts `run_id` before each of its lines."""

    def __init__(self) -> None:
        super().__init__(FORMAT)
        self.run_id = ""

    @override
    def format(self, record: logging.LogRecord) -> str:
        """The entry as it is written."""
        entry = redact(super().format(record))
        if not self.run_id:
            return entry
        return "\n".join(f"{self.run_id} {line}" for line in entry.splitlines())


_formatter = RunFormatter()


def log_to_stdout() -> None:
    """Send what every logger has to say of importance to standard output, in place of what was set up.

    Lambda's runtime puts a handler of its own on the root logger, which would write it all unredacted.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)


def log_as(run_id: str) -> None:
    """From now on the entries are of this run: a function does one at a time."""
    _formatter.run_id = run_id
