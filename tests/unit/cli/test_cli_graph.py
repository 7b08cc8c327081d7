"""`tfkit graph`: pictures that their programs can read, and docs/architecture.mmd, which is one of them."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from toolkit.cli.render_graph import dot, mermaid
from toolkit.deploy.graph import Edge, Graph, Node, completed, platform_graph
from toolkit.settings import load

PICTURE = Path(__file__).parents[3] / "docs" / "architecture.mmd"
COMMAND = "tfkit --quiet graph --target aws --level components > docs/architecture.mmd"

BOX = re.compile(r'  (?:  )?(\w+)\["([^"]+)"\]')
ARROW = re.compile(r"  (\w+) --> (\w+)")
GROUP = re.compile(r'  subgraph (\w+)\["([^"]+)"\]')

HOSTILE = Graph(
    components=[Node(id="part", type="tfkit:platform:Part", name='p"]')],
    nodes=[
        Node(id="A_a", type="aws:x/y:A", name='"] --> end; `md` #35; <b>\\', component="part"),
        Node(id="B_b", type="aws:x/y:B", name="b\n  C --> D"),
    ],
    edges=[Edge(needed="A_a", by="B_b")],
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Graph:
    flags = {"target": "aws", "region": "us-east-1", "home": str(tmp_path_factory.mktemp("home"))}
    return platform_graph(*completed(load(flags)))


def read_mermaid(text: str) -> tuple[set[str], set[tuple[str, str]], set[str]]:
    """Boxes, arrows and groups; every line must be one of what we know of the language."""
    head, kind, *lines = text.splitlines()
    assert (head[:3], kind) == ("%% ", "flowchart LR")
    boxes, arrows, groups, depth = set(), set(), set(), 0
    for line in lines:
        if found := GROUP.fullmatch(line):
            groups.add(found[1])
            depth += 1
        elif line == "  end":
            depth -= 1
        elif found := BOX.fullmatch(line):
            boxes.add(found[1])
        else:
            found = ARROW.fullmatch(line)
            assert found, line
            arrows.add((found[1], found[2]))
        assert depth in (0, 1)
    assert depth == 0
    return boxes, arrows, groups


def test_mermaid_has_every_node_edge_and_component(whole):
    boxes, arrows, groups = read_mermaid(mermaid(whole, whole))
    assert boxes == {node.id for node in whole.nodes}
    assert arrows == {(edge.needed, edge.by) for edge in whole.edges}
    assert groups == {node.id for node in whole.components}
    assert {end for arrow in arrows for end in arrow} <= boxes


def test_dot_has_the_same(whole):
    text = dot(whole, whole)
    assert set(re.findall(r"^  (\w+) -> (\w+);$", text, re.MULTILINE)) == {
        (edge.needed, edge.by) for edge in whole.edges
    }
    assert set(re.findall(r"^ +(\w+) \[label=", text, re.MULTILINE)) == {node.id for node in whole.nodes}
    assert text.count("{") == text.count("}") == 1 + len(whole.components)


def test_a_name_is_never_markup():
    boxes, arrows, groups = read_mermaid(mermaid(HOSTILE, HOSTILE))
    assert (boxes, arrows, groups) == ({"A_a", "B_b"}, {("A_a", "B_b")}, {"part"})
    text = dot(HOSTILE, HOSTILE)
    assert r'A_a [label="\"] --> end; `md` #35; <b>\\\nx A"];' in text
    assert r'B_b [label="b   C --> D\nx B"];' in text


def test_the_picture_in_docs_is_what_the_program_says(whole):
    assert PICTURE.read_text("utf-8") == mermaid(whole.of_components(), whole), f"it is stale; run: {COMMAND}"


def test_json_is_nodes_and_edges(tfkit):
    ended = tfkit("graph", "--json")
    assert ended.code == 0
    assert set(ended.document) == {"nodes", "edges"}
    ids = {node["id"] for node in ended.document["nodes"]}
    assert all(set(node) == {"id", "type", "name", "component"} for node in ended.document["nodes"])
    assert {edge[end] for edge in ended.document["edges"] for end in ("from", "to")} <= ids
    few = tfkit("graph", "--json", "--level", "components").document
    assert [node["id"] for node in few["nodes"]] == [
        *("foundation", "models", "audit", "agent", "observability"), "Parameter_directory"
    ]  # fmt: skip


def test_only_the_picture_is_on_stdout_and_who_is_drawn_on_stderr(tfkit):
    ended = tfkit("graph", "--target", "aws", "--level", "components")
    read_mermaid(ended.out)
    assert "account 123456789012 (stands for yours; pin_account names it), us-east-1, stack dev" in ended.err
    assert tfkit("graph", "--format", "dot", "--quiet").err == ""


def test_json_and_a_format_are_two_answers(tfkit):
    ended = tfkit("graph", "--json", "--format", "dot")
    assert (ended.code, "cannot both be" in ended.err) == (2, True)


def test_it_asks_no_library_of_a_cloud_on_the_local_target(tmp_path):
    program = (
        "import sys; from toolkit.cli.errors import run; from toolkit.cli.root import cli;"
        "code = run(cli, ['--quiet', 'graph', '--json', '--level', 'components']);"
        "print('loaded:', *[m for m in ('boto3', 'botocore', 'rich') if m in sys.modules], file=sys.stderr);"
        "sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "loaded:"
    assert json.loads(done.stdout)["edges"]
