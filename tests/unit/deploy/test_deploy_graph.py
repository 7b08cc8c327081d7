"""The graph of the platform: what a preview counts, and nothing else; nothing is asked for it."""

import os
import re
import socket
from collections import Counter

import msgspec
import pytest

from toolkit.contracts import ResourceEvent
from toolkit.deploy.graph import NO_ACCOUNT, Edge, Graph, Node, completed, graph_of, platform_graph
from toolkit.deploy.platform import Platform
from toolkit.deploy.resource import Resource
from toolkit.errors import UsageError
from toolkit.settings import load

OWNER = "111122223333"
COMPONENTS = ["foundation", "models", "audit", "agent", "observability"]


def drawn(**flags) -> Graph:
    return platform_graph(*completed(load(flags)))


@pytest.fixture(scope="module")
def graphs(tmp_path_factory) -> dict[str, Graph]:
    home = {"home": str(tmp_path_factory.mktemp("home"))}
    return {target: drawn(target=target, region="eu-central-1", **home) for target in ("local", "aws")}


@pytest.mark.parametrize("target", ["local", "aws"])
def test_every_edge_joins_two_nodes_and_there_is_no_way_back(graphs, target):
    graph = graphs[target]
    ids = [node.id for node in graph.nodes]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[A-Za-z0-9_]+", name) for name in ids)
    assert len(graph.edges) > len(graph.nodes)
    needs = {name: {edge.needed for edge in graph.edges if edge.by == name} for name in ids}
    assert {name for edge in graph.edges for name in (edge.needed, edge.by)} <= set(ids)
    made: set[str] = set()
    while ready := {name for name in ids if name not in made and needs[name] <= made}:
        made |= ready
    assert made == set(ids)


def test_it_is_what_a_preview_counts(graphs):
    events: list[ResourceEvent] = []
    platform = Platform(load({"region": "eu-central-1"}))
    summary = platform.preview(events.append)
    nodes = graphs["local"].nodes
    assert len(nodes) == summary.changes.create > 50
    assert Counter((node.type, node.name) for node in nodes) == Counter(
        (event.type, event.name) for event in events
    )


def test_what_needs_what_is_what_the_program_says(graphs):
    edges = {(edge.needed, edge.by) for edge in graphs["local"].edges}
    assert ("Bucket_audit_bucket", "FirehoseDeliveryStream_delivery_stream") in edges
    assert ("Role_agent_role", "Function_agent_function") in edges
    assert ("Function_agent_function", "Role_agent_role") not in edges


def test_the_components_come_in_the_order_of_the_flow(graphs):
    assert [node.id for node in graphs["local"].components] == COMPONENTS
    whole = graphs["local"]
    assert sum(len(whole.parts(name)) for name in COMPONENTS) + len(whole.parts()) == len(whole.nodes)
    assert [node.name for node in whole.parts()] == ["directory"]


def test_components_alone_keep_the_edges_between_them(graphs):
    for whole in graphs.values():
        few = whole.of_components()
        home = {node.id: node.component or node.id for node in whole.nodes}
        between = {(home[edge.needed], home[edge.by]) for edge in whole.edges}
        assert {(edge.needed, edge.by) for edge in few.edges} == {(a, b) for a, b in between if a != b}
        assert [node.id for node in few.nodes] == [
            *(node.id for node in whole.components), "Parameter_directory"
        ]  # fmt: skip


def test_the_aws_target_has_what_only_an_account_gets(graphs):
    more = {node.name for node in graphs["aws"].nodes} - {node.name for node in graphs["local"].nodes}
    assert more >= {"build-project", "checker-function", "checker-role"}


def test_it_is_the_same_each_time(graphs):
    assert drawn(target="aws", region="eu-central-1") == graphs["aws"]


def test_nothing_is_asked_and_nothing_written(monkeypatch, tmp_path):
    real = socket.socket.connect

    def loopback_only(self, address):
        assert self.family == socket.AF_UNIX or address[0] in ("127.0.0.1", "::1"), address
        return real(self, address)

    monkeypatch.setattr(socket.socket, "connect", loopback_only)
    assert drawn(target="aws", region="eu-central-1").nodes
    assert not (tmp_path / "tfkit-home").exists()
    assert "AWS_ACCESS_KEY_ID" not in os.environ


def test_for_which_account_and_region(monkeypatch):
    settings, cloud = completed(load({"target": "aws"}))
    assert (settings.region, cloud.account) == ("us-east-1", NO_ACCOUNT)
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    monkeypatch.setenv("TFKIT_PIN_ACCOUNT", OWNER)
    settings, cloud = completed(load({"target": "aws"}))
    assert (settings.region, cloud.region, cloud.account) == ("eu-west-3", "eu-west-3", OWNER)
    assert completed(load({"region": "eu-west-1"}))[1].region == "eu-west-1"


def test_a_platform_that_cannot_be_has_no_graph(monkeypatch):
    monkeypatch.setenv("TFKIT_KMS_KEY_ARN", f"arn:aws:kms:eu-west-1:{OWNER}:key/{'0' * 36}")
    with pytest.raises(UsageError, match="use a key of that region"):
        drawn(target="aws", region="us-east-1")


def test_a_boundary_names_the_account_as_well(monkeypatch):
    monkeypatch.setenv("TFKIT_PERMISSIONS_BOUNDARY", f"arn:aws:iam::{OWNER}:policy/boundary")
    assert completed(load({"target": "aws"}))[1].account == OWNER
    assert drawn(target="aws", region="us-east-1").nodes
    monkeypatch.setenv("TFKIT_PERMISSIONS_BOUNDARY", "arn:aws:iam::aws:policy/PowerUserAccess")
    assert completed(load({"target": "aws"}))[1].account == NO_ACCOUNT


def registered(name: str, parent: str, *needs: str) -> Resource:
    above = parent.split("::")[2]
    path = "aws:x/y:Thing" if above == "pulumi:pulumi:Stack" else f"{above}$aws:x/y:Thing"
    return Resource(
        urn=f"urn:pulumi:s::p::{path}::{name}", custom=True, type="aws:x/y:Thing", parent=parent,
        property_dependencies={"p": list(needs)},
    )  # fmt: skip


def test_names_that_look_alike_are_told_apart_and_depth_does_not_matter():
    component = "urn:pulumi:s::p::tfkit:platform:Part::part"
    first = registered("a.b", component)
    below = registered("a-b", first.urn, first.urn, "urn:pulumi:s::p::gone::gone")
    alone = registered("Ü", "urn:pulumi:s::p::pulumi:pulumi:Stack::s", below.urn)
    graph = graph_of([alone, below, first])
    names = {node.name: node for node in graph.nodes}
    assert {node.id for node in graph.nodes} == {"Thing_a_b", "Thing_a_b__2", "Thing__"}
    assert (names["a-b"].component, names["a.b"].component, names["Ü"].component) == ("part", "part", "")
    ids = {name: node.id for name, node in names.items()}
    assert set(graph.edges) == {
        Edge(needed=ids["a.b"], by=ids["a-b"]),  # the parent and the property are one edge
        Edge(needed=ids["a-b"], by=ids["Ü"]),
    }
    assert msgspec.to_builtins(graph.edges[0]).keys() == {"from", "to"}
    assert graph.components == [Node(id="part", type="tfkit:platform:Part", name="part")]
