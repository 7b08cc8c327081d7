"""What Pulumi's engine reports, in the words of both engines: `ResourceEvent`s and a `Summary`.

Works on the objects of the SDK's event stream (`pulumi.automation.EngineEvent`) without importing it.
Which events there are, and in which order, is Pulumi's `pkg/engine/update.go`: for each step a
`resource_pre_event`, then `res_outputs_event` or, after a `diagnostic_event` with the cause,
`res_op_failed_event`; then the summary, and a `cancel_event` as the last of all.

Only custom resources count, no components and no providers. A replacement is several steps
(create-replacement, replace, delete-replaced) and counts once. The engine's own summary counts
components and the stack too, so it is not used.
"""

import re
import time
from collections import Counter
from collections.abc import Sequence
from threading import Event, Lock
from typing import Any

from toolkit.contracts import Changes, ResourceEvent
from toolkit.deploy.engine import Drift, OnEvent, Summary
from toolkit.deploy.pulumi_errors import redact

COUNTED_AS = {
    "create": "create",
    "import": "create",
    "update": "update",
    "delete": "delete",
    "same": "same",
    "refresh": "same",
    "replace": "replace",
    "create-replacement": "replace",
    "import-replacement": "replace",
}
"""Step (`deploy.StepOp` in Pulumi) to kind of change. Reads are no changes."""

SHOWN_AS = {
    **COUNTED_AS,
    "refresh": "refresh",
    "replace": "",  # a step without an action: the creation of the replacement has been shown
    "delete-replaced": "delete",
    "read": "read",
    "read-replacement": "read",
    "discard": "",
    "discard-replaced": "",
    "remove-pending-replace": "",
}
"""Step to the operation of a `ResourceEvent`; nothing where there is nothing to see."""

COLOUR = re.compile(r"<\{%.*?%\}>")
"""Pulumi's colour directives (`sdk/go/common/diag/colors`), which stand in raw messages."""

NOISE = re.compile(
    r"^((update|preview|refresh|destroy|deployment) failed|resource operations? failed.*"
    r"|\d+ errors? occurred:?)$"
)


class Journal:
    """Takes the events of one operation, from any thread, and knows at its end what happened.

    `failures` are sentences in the form of the embedded engine; `errors` every error that was said.
    `hidden` are values that must not be in either.
    """

    def __init__(self, on_event: OnEvent, *, refreshing: bool = False, hidden: Sequence[str] = ()) -> None:
        self.failures: list[str] = []
        self.errors: list[str] = []
        self.ended = Event()
        self._on_event = on_event
        self._refreshing = refreshing
        self._hidden = hidden
        self._lock = Lock()
        self._kinds: dict[str, str] = {}
        self._deleted: dict[str, None] = {}
        self._drift: dict[str, Drift] = {}
        self._started: dict[str, float] = {}
        self._causes: dict[str, str] = {}

    def take(self, event: Any) -> None:
        """Take one event of the stream."""
        with self._lock:
            if event.resource_pre_event:
                self._begin(event.resource_pre_event)
            elif event.res_outputs_event:
                self._end(event.res_outputs_event)
            elif event.res_op_failed_event:
                self._fail(event.res_op_failed_event.metadata)
            elif event.diagnostic_event:
                self._note(event.diagnostic_event)
            elif event.cancel_event:
                self.ended.set()

    def summary(self, outputs: dict[str, Any], seconds: float) -> Summary:
        """What the operation did, or would do."""
        with self._lock:
            counts = Counter(self._kinds.values())
            changes = Changes(**{kind: counts[kind] for kind in Changes.__struct_fields__})
            return Summary(changes=changes, outputs=outputs, seconds=seconds, deleted=list(self._deleted))

    def drift(self) -> list[Drift]:
        """What a refresh found to be different, in the order of the events."""
        with self._lock:
            return list(self._drift.values())

    def _begin(self, event: Any) -> None:
        data = event.metadata
        self._started[_step(data)] = time.monotonic()
        operation = self._shown(data)
        # As with the embedded engine: a preview takes no time, and what stays is no work.
        if _counts(data) and operation not in ("", "same") and not event.planning:
            self._tell(data, operation, "started")

    def _end(self, event: Any) -> None:
        data = event.metadata
        if not _counts(data):
            return
        operation = self._shown(data)
        if operation and not (event.planning and _op(data) == "delete-replaced"):
            self._tell(data, operation, "done", seconds=self._seconds(data))
        leftover = data.old is not None and bool(data.old.delete)
        kind = "" if leftover else COUNTED_AS.get(_op(data), "")
        if kind and self._kinds.get(data.urn) != "replace":
            self._kinds[data.urn] = kind
        if _op(data) == "delete":
            self._deleted[data.urn] = None
        if self._refreshing and not leftover and _op(data) in ("update", "delete"):
            self._drift[data.urn] = _drift(data)

    def _fail(self, data: Any) -> None:
        why = self._causes.get(data.urn, "Pulumi gave no reason")
        operation = self._shown(data) or _op(data)
        name = _name(data.urn)
        self.failures.append(f"{operation} of {name} ({data.type}) failed: {why}")
        self._tell(data, operation, "failed", seconds=self._seconds(data), error=why)

    def _note(self, event: Any) -> None:
        """Remember what an error says, and of which resource; the failed step comes after it."""
        if event.severity != "error":
            return
        text = redact(plain(event.message), self._hidden)
        if text and not NOISE.match(text):
            self.errors.append(text)
            if event.urn:
                self._causes[event.urn] = text

    def _shown(self, data: Any) -> str:
        shown = SHOWN_AS.get(_op(data), _op(data))
        # A refresh reports what it found as the step: same, update or delete (`RefreshStep.ResultOp`).
        return "refresh" if self._refreshing and shown else shown

    def _seconds(self, data: Any) -> float:
        began = self._started.get(_step(data))
        return time.monotonic() - began if began else 0.0

    def _tell(self, data: Any, operation: str, state: str, seconds: float = 0.0, error: str = "") -> None:
        gone = self._refreshing and state == "done" and _op(data) == "delete"
        told = ResourceEvent(
            data.urn, data.type, _name(data.urn), operation, state, seconds, "gone" if gone else error
        )
        self._on_event(told)


def plain(text: str) -> str:
    """A message of the engine's on one line, without colours and without Terraform's list of one."""
    line = " ".join(COLOUR.sub("", text).split())
    return re.sub(r"1 error occurred: \* ", "", line)


def _drift(data: Any) -> Drift:
    """How a refreshed resource differs.

    The step says which properties of the program's it would bring back (`RefreshStep.Apply`); an engine that
    compares outputs only names none, and then those are taken of which the outputs differ.
    """
    gone = _op(data) == "delete"
    names = {
        re.split(r"[.\[]", path, maxsplit=1)[0] for path in [*(data.diffs or []), *(data.detailed_diff or {})]
    }
    if not names and not gone and data.old and data.new:
        old, new = data.old.outputs or {}, data.new.outputs or {}
        names = {name for name in data.old.inputs or {} if old.get(name) != new.get(name)}
    changed = [] if gone else sorted(names)
    return Drift(urn=data.urn, type=data.type, name=_name(data.urn), gone=gone, changed=changed)


def _op(data: Any) -> str:
    return str(getattr(data.op, "value", data.op))


def _step(data: Any) -> str:
    return f"{_op(data)} {data.urn}"


def _name(urn: str) -> str:
    return urn.rsplit("::", 1)[-1]


def _counts(data: Any) -> bool:
    """Whether this is a step of a custom resource that is no provider."""
    state = data.new or data.old
    return state is not None and bool(state.custom) and not data.type.startswith("pulumi:providers:")
