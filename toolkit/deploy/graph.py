"""The platform as a graph: what the program makes, and what needs what, as the program itself says it.

    settings ──▶ PlatformConfig ──▶ the embedded engine's preview, from nothing ──▶ Graph

The engine previews the real program against an account that does not exist, so nothing is called: no cloud,
no emulator, no Docker, no credentials. An edge goes from what is made first to what needs it, as the arrows
of `stacks.program` do.
"""

import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from pulumi.runtime.proto import provider_pb2
from typing_extensions import override

from toolkit.cloud import LOCAL_ACCOUNT, NOWHERE, Cloud
from toolkit.contracts import Shape
from toolkit.deploy.aws_identity import profile_region
from toolkit.deploy.embedded import EmbeddedEngine
from toolkit.deploy.engine import OnEvent, quiet
from toolkit.deploy.plan import PROJECT, platform_config
from toolkit.deploy.provider_keys import chosen
from toolkit.deploy.remembered import complete, last_config
from toolkit.deploy.resource import STACK_TYPE, Resource
from toolkit.deploy.steps import Steps
from toolkit.errors import UsageError
from toolkit.settings import DEFAULT_REGION, Settings

NO_ACCOUNT = "123456789012"
"""Stands for the account on the aws target where none is pinned; no node or edge depends on it."""

NO_IMAGE = "graph"
"""The tag of an image that is never built."""


class Node(Shape, frozen=True):
    """A resource, or a component.

    `id` is unique, made of letters, digits and `_` alone, and the same each time; `component` is the id of
    the component that a resource is a part of, and empty for a component and for what is in none.
    """

    id: str
    type: str
    name: str
    component: str = ""


class Edge(Shape, frozen=True, order=True, rename={"needed": "from", "by": "to"}):
    """`by` needs `needed`, which is made before it; both are ids of nodes. In JSON: `from`, `to`."""

    needed: str
    by: str


class Graph(Shape, frozen=True):
    """What there is and what needs what, in an order that is the same each time.

    `components` come in the order of the flow, those that need the fewest others first; they are no `nodes`.
    """

    components: list[Node]
    nodes: list[Node]
    edges: list[Edge]

    def parts(self, component: str = "") -> list[Node]:
        """The resources of a component, or those that are in none."""
        return [node for node in self.nodes if node.component == component]

    def of_components(self) -> "Graph":
        """The same with the resources of each component drawn together."""
        home = {node.id: node.component or node.id for node in self.nodes}
        ends = {(home[edge.needed], home[edge.by]) for edge in self.edges}
        return Graph(
            components=[],
            nodes=[*self.components, *self.parts()],
            edges=sorted(Edge(needed=one, by=other) for one, other in ends if one != other),
        )


def platform_graph(settings: Settings, cloud: Cloud) -> Graph:
    """The graph of the platform that these settings would make; both are as `completed` gives them.

    Raises `UsageError` for settings with which there would be no platform.
    """
    return graph_of(_registered(settings, cloud))


def completed(settings: Settings) -> tuple[Settings, Cloud]:
    """The settings with what the last `up` on this machine remembered, and the account to draw them for.

    On the aws target that is the pinned account, else the one that other settings name, else `NO_ACCOUNT`;
    credentials are not looked at.
    """
    account = LOCAL_ACCOUNT if settings.target == "local" else _account(settings)
    known = complete(
        msgspec.structs.replace(settings, engine=""),  # whichever deploys, the program is the same
        _folder(settings, account),
        "embedded",
        "" if settings.target == "aws" else DEFAULT_REGION,
        moving=True,
    )
    region = known.region or profile_region(settings)
    known = msgspec.structs.replace(known, region=region)
    return known, Cloud(target=known.target, region=region, account=account, endpoint=NOWHERE)


def graph_of(resources: Iterable[Resource]) -> Graph:
    """The graph of custom resources as they were registered."""
    known = {resource.urn: resource for resource in resources}
    ids = _ids(known)
    homes = {urn: _component(urn, known) for urn in known}
    nodes = [
        Node(id=ids[urn], type=each.type, name=each.name, component=_name(homes[urn]))
        for urn, each in known.items()
    ]
    ends = {(ids[needed], ids[urn]) for urn, each in known.items() for needed in each.needs & known.keys()}
    graph = Graph(
        components=[
            Node(id=_name(urn), type=_type(urn), name=_name(urn)) for urn in set(homes.values()) - {""}
        ],
        nodes=sorted(nodes, key=lambda node: (node.component, node.id)),
        edges=sorted(Edge(needed=needed, by=by) for needed, by in ends),
    )
    needs = Counter(edge.by for edge in graph.of_components().edges)
    flow = sorted(graph.components, key=lambda node: (needs[node.id], node.id))
    return msgspec.structs.replace(graph, components=flow)


# -- the program, heard out ------------------------------------------------------------------------


class _Echo:
    """A provider for a preview from nothing: inputs are taken as they are, and nothing else is asked."""

    def Check(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802 - Pulumi's protocol
        return provider_pb2.CheckResponse(inputs=request.news)

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"a preview from nothing called {name}")


class _Heard(Steps):
    """Steps that keep what was registered."""

    resources: list[Resource]

    @override
    def register(self, goal: Resource, ignore_changes: Iterable[str], delete_first: bool) -> Resource:
        self.resources.append(goal)  # from several threads, which a list's `append` bears
        return super().register(goal, ignore_changes, delete_first)


class _Listening(EmbeddedEngine):
    """The engine, with the resources of its last preview."""

    resources_heard: list[Resource]

    @override
    def _steps(self, on_event: OnEvent, *, preview: bool = False) -> Steps:
        state = self._state()
        heard = _Heard(self._providers(state), state, on_event, preview=preview)
        self.resources_heard = heard.resources = list[Resource]()
        return heard


def _registered(settings: Settings, cloud: Cloud) -> list[Resource]:
    """Every custom resource that the program asks for."""
    from stacks.program import platform

    last = last_config(_folder(settings, cloud.account))
    config = platform_config(settings, cloud, last.registry if last else None)
    try:
        program = platform(config, _image, chosen(settings.provider_keys, {}))
    except ValueError as wrong:
        raise UsageError(str(wrong), "change the setting, and run the command again") from wrong
    with tempfile.TemporaryDirectory(prefix="tfkit-graph-") as empty:
        provider: Any = _Echo()
        engine = _Listening(Path(empty), PROJECT, settings.stack, provider, {"region": cloud.region})
        engine.preview(program, quiet)
    return engine.resources_heard


def _image(repository_url: str) -> str:
    return f"{repository_url}:{NO_IMAGE}"


def _account(settings: Settings) -> str:
    """The account that the settings name, if only as the owner of a key or of a policy."""
    owners = (arn.split(":")[4:5] for arn in (settings.kms_key_arn, settings.permissions_boundary))
    named = [owner for part in owners for owner in part if owner.isdigit()]
    return settings.pin_account or next(iter(named), NO_ACCOUNT)


def _folder(settings: Settings, account: str) -> Path:
    """What this machine keeps of the stack, as the targets have it."""
    if settings.target == "local":
        return settings.stack_folder
    return settings.folder / "aws" / account / settings.stack


# -- names -----------------------------------------------------------------------------------------


def _type(urn: str) -> str:
    return urn.split("::")[2].rpartition("$")[2]


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


def _ids(urns: Iterable[str]) -> dict[str, str]:
    """Kind and name of each, as far as a picture's language takes them, and a number where two are alike."""
    taken: Counter[str] = Counter()
    ids = {}
    for urn in sorted(urns):
        text = f"{_type(urn).rpartition(':')[2]}_{_name(urn)}"
        slug = "".join(char if char.isascii() and char.isalnum() else "_" for char in text)
        taken[slug] += 1
        ids[urn] = slug if taken[slug] == 1 else f"{slug}__{taken[slug]}"
    return ids


def _component(urn: str, known: Mapping[str, Resource]) -> str:
    """The component that the resource is in, however deep below other resources; empty below the stack."""
    above = known[urn].parent
    while above in known:
        above = known[above].parent
    return "" if _type(above) == STACK_TYPE else above
