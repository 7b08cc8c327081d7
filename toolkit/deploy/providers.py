"""Which provider a resource of the state belongs to: the one of now, or one of before that made it.

As in Pulumi, a resource names its provider as `urn::id`, and the provider's own resource in the state has
the inputs that it was made with. Where the region in them is not the one of now, the resource lives in
another region: it is read and deleted there, and an `up` replaces it.
"""

import uuid
from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from typing import Any

from toolkit.deploy.engine import Provider
from toolkit.deploy.state import Resource, State
from toolkit.errors import DeployFailed

REGION = "region"

ProviderFor = Callable[[Mapping[str, Any]], Provider]


class Providers:
    """The providers of one operation on one stack, from any thread.

    `current` is the one for `inputs`; `make` gives one for the inputs of before, on first use. `others`
    are resources that may no longer be in the state.
    """

    def __init__(
        self,
        current: Provider,
        inputs: Mapping[str, Any],
        state: State,
        make: ProviderFor | None = None,
        others: Iterable[Resource] = (),
    ) -> None:
        self.current = current
        self.inputs = dict(inputs)
        self._state = state
        self._make = make
        self._others = [resource for resource in others if resource.is_provider]
        self._made: dict[str, Provider] = {}
        self._lock = Lock()

    def register(self, urn: str) -> tuple[Resource, Resource | None]:
        """The provider's own resource as it is now, and the one of before if another region replaces it."""
        old = self._state.live.get(urn)
        moved = old is not None and self._elsewhere(old.inputs)
        new = Resource(
            urn=urn,
            custom=True,
            type="pulumi:providers:aws",
            id=old.id if old and not moved else str(uuid.uuid4()),
            inputs=self.inputs,
            outputs=self.inputs,
        )
        return new, old if moved else None

    def moved(self, resource: Resource) -> bool:
        """Whether the resource lives in another region than the one of now."""
        return self._elsewhere(self._inputs_of(resource))

    def together(self, one: Resource, other: Resource) -> bool:
        """Whether both live in the same region."""
        here = self.inputs.get(REGION)
        return self._inputs_of(one).get(REGION, here) == self._inputs_of(other).get(REGION, here)

    def of(self, resource: Resource) -> Provider:
        """The provider that reaches the resource. Raises `DeployFailed` where its region has none."""
        inputs = self._inputs_of(resource)
        if not self._elsewhere(inputs):
            return self.current
        region = str(inputs[REGION])
        if self._make is None:
            raise DeployFailed(
                f"{resource.name} is in {region}, and this engine works in {self.inputs.get(REGION)}",
                f"run it with --region {region}",
            )
        with self._lock:
            if region not in self._made:
                self._made[region] = self._make(inputs)
            return self._made[region]

    def _elsewhere(self, inputs: Mapping[str, Any]) -> bool:
        """Whether these inputs name another region. A state that names none says nothing about it."""
        region, here = inputs.get(REGION), self.inputs.get(REGION)
        return bool(region and here and region != here)

    def _inputs_of(self, resource: Resource) -> Mapping[str, Any]:
        for known in (*self._state.everything, *self._others):
            if known.is_provider and f"{known.urn}::{known.id}" == resource.provider:
                return known.inputs
        return {}
