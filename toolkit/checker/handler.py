"""Lambda's entry of the checker's function: a tree in, a report out, and nothing of it left behind.

    event ──▶ a folder and a process of its own, without credentials ──▶ CheckReport
                  └── afterwards: every process that it started is ended, the folder removed

What is checked is hostile, and Lambda uses a function's process again for the next event. So this process
never looks at a tree: it hands the event on to a child (`child`), and what evaluated one tree is gone before
another comes. Where that cannot be had, the process gives itself up, and Lambda starts a new one.
"""

import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from toolkit.checker.message import REQUEST, Answer, CheckRequest
from toolkit.checker.process import Finished, Runner, Stopped
from toolkit.checker.reaper import hide_environment, sweeping
from toolkit.contracts import CheckReport, to_json
from toolkit.errors import PlatformError
from toolkit.telemetry.logs import log_to_stdout

log_to_stdout()
log = logging.getLogger("toolkit.checker")
log.setLevel(logging.INFO)

RESERVE_S = 10.0
"""What is kept back of the function's own time, to end the check and to say that it took too long."""

SANDBOX = "function"
"""What a report says of where it was made, before the sandbox that the check itself had."""

# What a check needs of the function's environment: where executables, libraries, providers and rules are.
PASSED_ON = (
    "PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "TFKIT_PROVIDER_MIRROR", "TFKIT_TOOLS", "TFKIT_UNSANDBOXED", "TFLINT_PLUGIN_DIR", "CHECKPOINT_DISABLE",
)  # fmt: skip


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do the check that the event (a `message.CheckRequest`) asks for; returns a `contracts.CheckReport`.

    Raises `PlatformError`, which Lambda hands to the caller as a FunctionError: for an event of another
    shape, a check that did not end in time, and a tool or a provider that is missing.
    """
    started = time.monotonic()
    hide_environment()
    try:
        request = msgspec.convert(event, CheckRequest)
    except msgspec.ValidationError as error:
        raise PlatformError(f"not a request for a check: {error}") from error
    remaining_s = context.get_remaining_time_in_millis() / 1000 - RESERVE_S
    if remaining_s <= 0:
        raise PlatformError("the function has no time left for a check", "give it a longer time-out")
    report = check(msgspec.structs.replace(request, timeout_s=min(request.timeout_s, remaining_s)))
    # Nothing that the tree says goes into the log: whoever reads it need not be allowed to read the tree.
    seconds = round(time.monotonic() - started, 3)
    ended = {result.validator: result.status for result in report.results}
    log.info(json.dumps({"tree": report.tree, "results": ended, "seconds": seconds}))
    answer: dict[str, Any] = msgspec.to_builtins(report)
    return answer


def check(request: CheckRequest) -> CheckReport:
    """One check in a child of its own; when this returns or raises, nothing of the child is left."""
    survivors: list[int] = []
    try:
        with (
            tempfile.TemporaryDirectory(prefix="tfkit-check-", ignore_cleanup_errors=True) as folder,
            sweeping(survivors),
        ):
            done = _run(request, Path(folder))
    finally:
        if survivors:
            log.critical("processes of a check could not be ended: %s", survivors)
            give_up()
    return _report(request, done)


def give_up() -> None:
    """End this process: Lambda then ends all others of the environment, and the caller gets a FunctionError.

    https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
    """
    os._exit(70)


def environment(folder: Path, given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The child's environment: made from nothing, with no credentials and no name of the platform in it."""
    passed = {name: given[name] for name in PASSED_ON if name in given}
    return {**passed, "HOME": str(folder), "TMPDIR": str(folder / "tmp")}


def _run(request: CheckRequest, folder: Path) -> Finished:
    (folder / "tmp").mkdir(mode=0o700)
    (folder / REQUEST).write_bytes(to_json(request))
    # -I: neither the working folder nor PYTHONPATH can put a module in the way.
    command = [sys.executable, "-I", "-m", "toolkit.checker.child", str(folder)]
    try:
        return Runner(folder, environment(folder)).run(command, request.timeout_s)
    except TimeoutError:
        raise PlatformError(f"the check took longer than {request.timeout_s:g} s") from None
    except Stopped as error:
        raise PlatformError(f"the check was ended: {error}") from error


def _report(request: CheckRequest, done: Finished) -> CheckReport:
    try:
        answer = msgspec.json.decode(done.stdout, type=Answer)
    except msgspec.MsgspecError as error:
        last = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise PlatformError(f"the check ended with exit code {done.code}: {last[0][:500]}") from error
    if answer.report is None:
        raise PlatformError(answer.error or "the check gave neither a report nor a reason")
    if answer.report.tree != request.tree_hash:
        raise PlatformError("the check speaks of another tree than the one it was given")
    inner = answer.report.sandbox
    return msgspec.structs.replace(
        answer.report, sandbox=SANDBOX if inner == "none" else f"{SANDBOX}, {inner}"
    )
