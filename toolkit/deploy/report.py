"""What an operation of the embedded engine did: counts, events, and failures that name the resource."""

from collections import Counter
from collections.abc import Callable
from threading import Lock
from typing import Any

from toolkit.contracts import ResourceEvent
from toolkit.deploy.engine import OnEvent
from toolkit.deploy.state import Resource
from toolkit.errors import DeployFailed, TfkitError

GOES_ON = "mend the cause and run the command again; it goes on from here"


class Report:
    """Of one operation, from any thread. `failures` are in the order of time; `deleted` are URNs."""

    def __init__(self, on_event: OnEvent) -> None:
        self.counts: Counter[str] = Counter()
        self.deleted: list[str] = []
        self.failures: list[DeployFailed] = []
        self._on_event = on_event
        self._lock = Lock()

    def count(self, operation: str) -> None:
        """One more resource to which this was done."""
        with self._lock:
            self.counts[operation] += 1

    def gone(self, resource: Resource) -> None:
        """The resource is no longer there, or would not be."""
        with self._lock:
            self.deleted.append(resource.urn)

    def tell(
        self, resource: Resource, operation: str, state: str, seconds: float = 0.0, error: str = ""
    ) -> None:
        """Report a step to whoever listens."""
        self._on_event(
            ResourceEvent(resource.urn, resource.type, resource.name, operation, state, seconds, error)
        )

    def failed(self, resource: Resource, operation: str, why: str, hint: str = "") -> DeployFailed:
        """The error for a step that failed, noted and reported."""
        failure = DeployFailed(
            f"{operation} of {resource.name} ({resource.type}) failed: {why}", hint or GOES_ON
        )
        with self._lock:
            self.failures.append(failure)
        self.tell(resource, operation, "failed", error=why)
        return failure

    def guarded(self, resource: Resource, operation: str, call: Callable[[], Any]) -> Any:
        """Do it; whatever it raises becomes a `DeployFailed` that names the resource and the operation."""
        try:
            return call()
        except DeployFailed as error:
            if error in self.failures:
                raise
            raise self.failed(resource, operation, error.message, error.hint) from error
        except TfkitError as error:
            raise self.failed(resource, operation, error.message, error.hint) from error
        except Exception as error:  # a provider may raise anything; the reader wants to know where
            raise self.failed(resource, operation, f"{type(error).__name__}: {error}") from error
