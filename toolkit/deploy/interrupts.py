"""Ctrl-C against work that must not be torn apart in the middle."""

import threading
from collections.abc import Callable
from typing import Any


def to_the_end(work: Callable[[], Any], on_interrupt: Callable[[], None] = lambda: None) -> tuple[Any, int]:
    """Do the work in a thread, so that Ctrl-C, which reaches the main thread, does not tear it apart.

    `on_interrupt` tells the work to begin nothing new. Returns its result and how often Ctrl-C was pressed;
    raises what it raised, unless that came of a Ctrl-C.
    """
    results: list[Any] = []
    errors: list[BaseException] = []
    done = threading.Event()

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - it goes on its way below
            errors.append(error)
        finally:
            done.set()

    threading.Thread(target=run, name="to-the-end").start()
    # Not `Thread.join`: before Python 3.13 an interrupted one takes the thread for ended (CPython gh-90882).
    interrupts = 0
    while not done.is_set():
        try:
            done.wait()
        except KeyboardInterrupt:
            interrupts += 1
            on_interrupt()
    if errors and not interrupts:
        raise errors[0]
    return (results[0] if results else None), interrupts
