"""Work that may be done ahead, in one thread, for the latest that was wanted."""

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from opentelemetry import context as otel_context

T = TypeVar("T")

log = logging.getLogger(__name__)


class Preparation(Generic[T]):
    """Calls `work` in the background for what was wanted last; what was wanted before it is passed over."""

    def __init__(self, work: Callable[[T], None]) -> None:
        self._work = work
        self._lock = threading.Lock()
        self._wanted: list[T] = []
        self._thread: threading.Thread | None = None

    def want(self, what: T) -> None:
        """Have `work` done for this, soon. Its spans are children of the caller's."""
        with self._lock:
            self._wanted = [what]
            if self._thread is None:
                context = otel_context.get_current()
                self._thread = threading.Thread(target=self._run, args=(context,), daemon=True)
                self._thread.start()

    def _run(self, context: otel_context.Context) -> None:
        token = otel_context.attach(context)
        try:
            while (wanted := self._next()) is not None:
                try:
                    self._work(wanted)
                except Exception as error:  # noqa: BLE001 - whoever needs the work does it again, and hears
                    log.info("could not be prepared: %s", error)
        finally:
            otel_context.detach(token)

    def _next(self) -> T | None:
        with self._lock:
            if self._wanted:
                return self._wanted.pop()
            self._thread = None
            return None
