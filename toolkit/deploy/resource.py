"""What a state is made of: resources and operations, as Pulumi's deployment format has them."""

from datetime import UTC, datetime
from typing import Any

import msgspec

Properties = dict[str, Any]

STACK_TYPE = "pulumi:pulumi:Stack"


class Resource(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """A resource as the deployment format has it (`apitype.ResourceV3`); only the fields that are used."""

    urn: str
    custom: bool = msgspec.field(default=False)
    delete: bool = False
    id: str = ""
    type: str = ""
    inputs: Properties = {}
    outputs: Properties = {}
    parent: str = ""
    protect: bool = False
    dependencies: list[str] = []
    provider: str = ""
    property_dependencies: dict[str, list[str]] = {}
    retain_on_delete: bool = False
    additional_secret_outputs: list[str] = []
    created: str = ""
    modified: str = ""

    @property
    def name(self) -> str:
        """The logical name, which is the URN's last part."""
        return self.urn.rsplit("::", 1)[-1]

    @property
    def is_provider(self) -> bool:
        """Whether this is a provider, which the engine makes itself."""
        return self.type.startswith("pulumi:providers:")

    @property
    def needs(self) -> set[str]:
        """The URNs that must exist as long as this resource does."""
        provider = {self.provider.rsplit("::", 1)[0]} if self.provider else set()
        parent = {self.parent} if self.parent else set()
        properties = {urn for urns in self.property_dependencies.values() for urn in urns}
        return {*self.dependencies, *properties, *parent, *provider}

    def with_properties(self, inputs: Properties, outputs: Properties) -> "Resource":
        """The resource with other properties, and everything else as it is."""
        return msgspec.structs.replace(self, inputs=inputs, outputs=outputs)


class Operation(msgspec.Struct, kw_only=True):
    """A step that was begun and of which the end is not known (`apitype.OperationV2`)."""

    resource: Resource
    type: str


def now() -> str:
    """The time as Pulumi writes it: RFC 3339, UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
