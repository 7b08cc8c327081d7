"""The one interface of both engines: the same program, the same events, the same state format."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from toolkit.contracts import Changes, ResourceEvent, Shape

if TYPE_CHECKING:
    from toolkit.deploy.state import Resource

Program = Callable[[], None]
OnEvent = Callable[[ResourceEvent], None]


def quiet(_event: ResourceEvent) -> None:
    """Report nothing."""


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


class Drift(Shape, frozen=True):
    """A resource that is no longer as the last `up` left it.

    `gone` where it is not there at all; else `changed` names the properties, of those that the program
    sets, that somebody changed: what an `up` after a `refresh` would bring back.
    """

    urn: str
    type: str
    name: str
    gone: bool = False
    changed: list[str] = []


class Engine(Protocol):
    """Runs the platform's program against a cloud. Steps are reported to `on_event` as they happen.

    Every method raises `DeployFailed` naming the resource and the cause; the state is consistent then.
    """

    def preview(self, program: Program, on_event: OnEvent) -> Summary:
        """What `up` would do; changes nothing."""
        ...

    def up(self, program: Program, on_event: OnEvent) -> Summary:
        """Make the cloud what the program says. In another region than before, everything is replaced."""
        ...

    def refresh(self, on_event: OnEvent) -> Summary:
        """Take over into the state how everything is now, and drop what is gone; `up` then mends it."""
        ...

    def drift(self, on_event: OnEvent) -> list[Drift]:
        """What differs between the state and the cloud; changes neither."""
        ...

    def destroy(self, on_event: OnEvent, keep: Collection[str] = ()) -> Summary:
        """Delete everything in the state, dependents first.

        What has a URN of `keep`, and whatever that needs, stays in the cloud and in the state, for the next
        `up` to go on with; the stack has no outputs then. URNs that the state does not know are ignored.
        """
        ...

    def plan_destroy(self, on_event: OnEvent, keep: Collection[str] = ()) -> Summary:
        """What `destroy` would delete; changes nothing."""
        ...

    def resources(self) -> "list[Resource]":
        """Everything in the state."""
        ...

    def still_there(self, resources: "Iterable[Resource]") -> "list[Resource]":
        """Those of these resources that the provider still finds; `resources` is a whole state."""
        ...

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs; empty where nothing is deployed."""
        ...

    def export_state(self) -> dict[str, Any]:
        """The state as a deployment document of version 3."""
        ...

    def import_state(self, document: Mapping[str, Any], *, force: bool = False) -> None:
        """Take over such a document, also one of the other engine's (same stack, same passphrase file).

        Raises `DeployFailed` for one that does not fit, and, unless `force`, where something is deployed.
        """
        ...

    def cancel(self) -> None:
        """Take off the lock that a dead process left on the stack."""
        ...
