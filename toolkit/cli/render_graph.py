"""A graph in the languages of two programs that draw: Mermaid's and Graphviz's."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toolkit.deploy.graph import Graph, Node

HEAD = "tfkit graph: an arrow goes from what is made first to what needs it"


def mermaid(graph: "Graph", whole: "Graph") -> str:
    """A flowchart; `whole` has the resources that a component stands for.

    The language: https://mermaid.js.org/syntax/flowchart.html
    """
    return "\n".join(_mermaid(graph, whole)) + "\n"


def _mermaid(graph: "Graph", whole: "Graph") -> Iterator[str]:
    yield f"%% {HEAD}"
    yield "flowchart LR"
    for component in graph.components:
        yield f'  subgraph {component.id}["{_entities(component.name)}"]'
        for node in graph.parts(component.id):
            yield f'    {node.id}["{_mermaid_label(node, whole)}"]'
        yield "  end"
    for node in graph.parts():
        yield f'  {node.id}["{_mermaid_label(node, whole)}"]'
    for edge in graph.edges:
        yield f"  {edge.needed} --> {edge.by}"


def _mermaid_label(node: "Node", whole: "Graph") -> str:
    return "<br/>".join(map(_entities, _lines(node, whole)))


def _entities(text: str) -> str:
    """Text that is no markup of Mermaid's, whatever is in it."""
    return "".join(
        char if char.isalnum() or char in " -_.,:/()" else f"#{ord(char)};" for char in text if char >= " "
    )


def dot(graph: "Graph", whole: "Graph") -> str:
    """A digraph. The language: https://graphviz.org/doc/info/lang.html"""
    return "\n".join(_dot(graph, whole)) + "\n"


def _dot(graph: "Graph", whole: "Graph") -> Iterator[str]:
    yield f"// {HEAD}"
    yield "digraph tfkit {"
    yield "  rankdir=LR;"
    yield '  node [shape=box, style=rounded, fontname="sans-serif"];'
    for component in graph.components:
        yield f"  subgraph cluster_{component.id} {{"
        yield f'    label="{_quoted(component.name)}"; fontname="sans-serif";'
        for node in graph.parts(component.id):
            yield f'    {node.id} [label="{_dot_label(node, whole)}"];'
        yield "  }"
    for node in graph.parts():
        yield f'  {node.id} [label="{_dot_label(node, whole)}"];'
    for edge in graph.edges:
        yield f"  {edge.needed} -> {edge.by};"
    yield "}"


def _dot_label(node: "Node", whole: "Graph") -> str:
    return r"\n".join(map(_quoted, _lines(node, whole)))


def _quoted(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", " ")


def _lines(node: "Node", whole: "Graph") -> list[str]:
    """What a box says: of a resource its name and kind, of a component how much of which services it is."""
    parts = whole.parts(node.id)
    if not parts:
        return [node.name, _kind(node)]
    services = sorted({part.type.split(":")[1].split("/")[0] for part in parts})
    return [node.name, f"{len(parts)} resources", ", ".join(services)]


def _kind(node: "Node") -> str:
    """`aws:s3/bucket:Bucket` is an `s3 Bucket`."""
    _, module, name = node.type.split(":")
    return f"{module.split('/')[0]} {name}"
