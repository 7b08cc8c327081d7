"""The shape of a check, and how many are run at once: one that breaks hides no other."""

import threading
from collections.abc import Callable, Mapping

import msgspec

from toolkit.errors import TfkitError

UNKNOWN = "tfkit knows no way to mend this: please report this line"


class Check(msgspec.Struct, frozen=True):
    """How one check ended.

    `fix` is the command, or the step, that mends it. A check that is `ok` and has one is a warning: things
    work, and could be better.
    """

    name: str
    ok: bool
    detail: str
    fix: str = ""


Checks = Mapping[str, Callable[[], Check]]
"""Checks that can be run, by name, in the order in which they are shown."""


def run_check(name: str, check: Callable[[], Check]) -> Check:
    """Run one check; whatever it raises is what it found."""
    try:
        return check()
    except TfkitError as error:
        return Check(name, False, error.message, error.hint or UNKNOWN)
    except Exception as error:  # noqa: BLE001 - one broken check must not hide the others
        return Check(name, False, f"{type(error).__name__}: {error}", UNKNOWN)


def run_checks(checks: Checks) -> list[Check]:
    """Run all of them, each in a thread of its own, and give the results in their order.

    The threads are daemons, so that Ctrl-C ends a doctor that waits for a network that is not there.
    """
    found: dict[str, Check] = {}

    def work(name: str, check: Callable[[], Check]) -> None:
        found[name] = run_check(name, check)

    threads = [threading.Thread(target=work, args=item, daemon=True) for item in checks.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [found[name] for name in checks]
