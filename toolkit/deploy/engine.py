"""The one interface of both engines: the same program, the same events, the same state format."""

from collections.abc import Callable
from typing import Any, Protocol

from toolkit.contracts import Changes, ResourceEvent, Shape

Program = Callable[[], None]
OnEvent = Callable[[ResourceEvent], None]


class Provider(Protocol):
    """The methods of Pulumi's `ResourceProvider` service that an engine in the same process calls.

    Requests and answers are the messages of `pulumi.runtime.proto.provider_pb2`; there is no gRPC
    context in process, so it is None, and a failure is an exception.
    """

    # The names are those of the protocol.
    def Check(self, request: Any, context: Any) -> Any: ...  # noqa: N802, D102
    def Diff(self, request: Any, context: Any) -> Any: ...  # noqa: N802, D102
    def Create(self, request: Any, context: Any) -> Any: ...  # noqa: N802, D102
    def Read(self, request: Any, context: Any) -> Any: ...  # noqa: N802, D102
    def Update(self, request: Any, context: Any) -> Any: ...  # noqa: N802, D102
    def Delete(self, request: Any, context: Any) -> Any: ...  # noqa: N802, D102
    def Invoke(self, request: Any, context: Any) -> Any: ...  # noqa: N802, D102


class Summary(Shape, frozen=True):
    """What an operation did (or, for a preview, would do): counts, outputs and wall seconds.

    `deleted` lists the URNs that are gone; in a preview, those that would go.
    """

    changes: Changes
    outputs: dict[str, Any] = {}
    seconds: float = 0.0
    deleted: list[str] = []


class Engine(Protocol):
    """Runs the platform's program against a cloud. Steps are reported to `on_event` as they happen.

    Every method raises `DeployFailed` naming the resource and the cause; the state is consistent then.
    """

    def preview(self, program: Program, on_event: OnEvent) -> Summary:
        """What `up` would do; changes nothing."""
        ...

    def up(self, program: Program, on_event: OnEvent) -> Summary:
        """Make the cloud what the program says."""
        ...

    def refresh(self, on_event: OnEvent) -> Summary:
        """Read every resource and drop from the state what is gone."""
        ...

    def destroy(self, on_event: OnEvent) -> Summary:
        """Delete everything in the state, dependents first."""
        ...

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs; empty where nothing is deployed."""
        ...

    def export_state(self) -> dict[str, Any]:
        """The state as a deployment document of version 3."""
        ...
