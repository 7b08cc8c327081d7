"""Deployments as people see them: live steps, a list of changes, a summary, a receipt."""

from types import TracebackType
from typing import TYPE_CHECKING, Any

from toolkit.cli.output import Output
from toolkit.contracts import Changes, ResourceEvent

if TYPE_CHECKING:
    from rich.console import Console

    from toolkit.deploy.cost import Cost
    from toolkit.deploy.engine import Summary
    from toolkit.deploy.receipt import Receipt

SIGNS = {"create": "+", "update": "~", "replace": "±", "delete": "-", "same": "=", "refresh": "?"}
STYLES = {"create": "green", "update": "yellow", "replace": "magenta", "delete": "red"}
SHOWN = 6
_NAME_COLUMN = 56
"""Where the names begin in a list of changes."""


class Progress:
    """Live steps on stderr for a person at a terminal; collects the events in any case."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._live: Any = None
        self._running: dict[str, ResourceEvent] = {}
        self._done = 0
        self.events: list[ResourceEvent] = []

    def __enter__(self) -> "Progress":
        """Start drawing, where there is somebody to see it."""
        if self._output.live:
            from rich.live import Live

            self._live = Live(
                self._draw(), console=self._output.progress_console(), refresh_per_second=8, transient=True
            )
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the drawing away."""
        if self._live:
            self._live.stop()

    def event(self, event: ResourceEvent) -> None:
        """Take a step of the engine; called from several threads."""
        if event.state == "started":
            self._running[event.urn] = event
        else:
            self._running.pop(event.urn, None)
            self._done += 1
            self.events.append(event)
        if self._live:
            self._live.update(self._draw())

    def line(self, text: str) -> None:
        """Take a line of something that builds: it passes by above the steps."""
        if self._live:
            from rich.text import Text

            from toolkit.cli.text import harmless

            self._live.console.print(Text(harmless(text), "dim"))

    def _draw(self) -> Any:
        from rich.console import Group
        from rich.spinner import Spinner
        from rich.text import Text

        lines: list[Any] = [Spinner("dots", Text(f" {self._done} resources", style="bold"))]
        for event in list(self._running.values())[-SHOWN:]:
            style = STYLES.get(event.operation, "dim")
            lines.append(
                Text(f"   {SIGNS.get(event.operation, ' ')} {event.name}  {_kind(event.type)}", style)
            )
        return Group(*lines)


def _kind(token: str) -> str:
    """`aws:s3/bucket:Bucket` as `s3 Bucket`."""
    parts = token.split(":")
    return f"{parts[1].split('/')[0]} {parts[-1]}" if len(parts) == 3 else token


def render_changes(console: "Console", events: list[ResourceEvent]) -> None:
    """What would change, a line each; what stays the same is left out."""
    from rich.text import Text

    changes = [event for event in events if event.operation in STYLES]
    longest = max((len(event.name) for event in changes), default=0)
    fits = not console.is_terminal or _NAME_COLUMN + longest <= console.width
    for event in changes:
        sign = f"{SIGNS[event.operation]} {event.operation:8}"
        kind = _kind(event.type)
        line = f"{sign}{kind:45} {event.name}" if fits else f"{sign}{event.name}\n    {kind}"
        console.print(Text(line, STYLES[event.operation]))


def render_summary(console: "Console", summary: "Summary", operation: str) -> None:
    """The counts on a line, and the outputs below it."""
    from rich.text import Text

    from toolkit.cli.text import labelled

    tense = {"up": "is up", "preview": "would change", "down": "is down"}[operation]
    console.print(Text(f"{tense}: {counts(summary.changes)} · {summary.seconds:.1f} s", "bold"))
    if operation == "up":
        for name in ("function_name", "agent_role_arn", "audit_bucket", "dashboard"):
            if name in summary.outputs:
                labelled(console, name, str(summary.outputs[name]), 16)


def counts(changes: Changes) -> str:
    """`3 create, 41 same`; nothing at all is `no resources`."""
    parts = [f"{n} {kind}" for kind in changes.__struct_fields__ if (n := getattr(changes, kind))]
    return ", ".join(parts) or "no resources"


def render_kept(console: "Console", receipt: "Receipt") -> None:
    """What stays, why, and until when."""
    from rich.text import Text

    from toolkit.cli.text import paragraph

    for kept in receipt.kept:
        until = f", until {kept.until}" if kept.until else ""
        name = kept.urn.rsplit("::", 1)[-1]
        paragraph(console, Text(f"  kept       {name}: {kept.reason}{until}", "yellow"), hanging=4)


def render_costs(console: "Console", costs: "list[Cost]") -> None:
    """What costs something though nobody uses it, a line each, and what it comes to."""
    from rich.text import Text

    from toolkit.cli.text import paragraph
    from toolkit.deploy.cost import total

    for cost in sorted(costs, key=lambda cost: -cost.usd):
        if cost.usd:
            paragraph(console, f"  {cost.usd:6.2f} $  {cost.name}: {cost.why}", hanging=12)
    said = f"idle: {total(costs):.2f} $ a month at list prices; the rest is paid for by use only"
    paragraph(console, Text(said, "bold"))


def render_receipt(console: "Console", receipt: "Receipt") -> None:
    """What is gone, what stayed and why, what goes later."""
    from rich.text import Text

    from toolkit.cli.text import paragraph

    said = (
        f"gone {len(receipt.deleted)}, scheduled {len(receipt.scheduled)}, kept {len(receipt.kept)}; "
        "each looked for again, and by tag"
    )
    paragraph(console, Text(said, "bold"))
    render_kept(console, receipt)
    for later in receipt.scheduled:
        paragraph(console, f"  scheduled  {later.urn.rsplit('::', 1)[-1]} goes on {later.date[:10]}", 4)
