"""How a run is ended from outside: what its event loop waits for is cancelled, whatever that is.

The request to cancel arrives in the thread of the heartbeat. A request to the model and a check run in
threads of their own, which cannot be ended; the loop stops waiting for them, and closing the checker then
ends the check's processes.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from toolkit.agent.record import CANCELLED, Cancelled

T = TypeVar("T")


class Cancellation:
    """Whether the run is to end, and what wakes it then. Its methods may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requested = False
        self._wake: Callable[[], object] | None = None

    @property
    def requested(self) -> bool:
        """Whether somebody wants the run to end."""
        return self._requested

    def request(self) -> None:
        """End what `run` is doing, now or as soon as it begins. May be called again."""
        with self._lock:
            first, self._requested = not self._requested, True
            if first and self._wake:
                self._wake()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run the coroutine in an event loop of its own. Raises `Cancelled` once that is requested.

        An error that comes of the cancelling, such as that of a check whose processes were ended, is no
        error of the run's.
        """
        try:
            return asyncio.run(self._watched(work))
        except (Exception, asyncio.CancelledError) as error:
            if self._requested:
                raise Cancelled(CANCELLED) from error
            raise

    async def _watched(self, work: Coroutine[Any, Any, T]) -> T:
        loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)
        with self._lock:
            self._wake = lambda: loop.call_soon_threadsafe(task.cancel)
            if self._requested:
                task.cancel()
        try:
            return await task
        finally:
            with self._lock:
                self._wake = None
