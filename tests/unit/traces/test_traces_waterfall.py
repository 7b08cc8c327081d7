from toolkit.telemetry import names
from toolkit.traces.query import Span
from toolkit.traces.waterfall import waterfall

S = 10**9


def span(
    span_id: str, parent: str, name: str, start: float, end: float, status: int = 0, **attributes
) -> Span:
    return Span(span_id, parent, "t", name, int(start * S), int(end * S), status, "", attributes)


def test_children_follow_their_parents_in_the_order_of_their_starts():
    rows = waterfall(
        [
            span("d", "b", "second tool", 103, 104),
            span("b", "a", "agent", 101, 109),
            span("c", "b", "first tool", 102, 102.5),
            span("e", "a", "validator", 109, 110),
            span("a", "", "run", 100, 110),
        ]
    )
    assert [(row.depth, row.name, row.offset_s, row.seconds) for row in rows] == [
        (0, "run", 0, 10),
        (1, "agent", 1, 8),
        (2, "first tool", 2, 0.5),
        (2, "second tool", 3, 1),
        (1, "validator", 9, 1),
    ]


def test_spans_without_a_parent_and_spans_in_a_circle_are_shown_once():
    rows = waterfall(
        [span("x", "gone", "orphan", 2, 3), span("p", "q", "p", 0, 1), span("q", "p", "q", 0, 1)]
    )
    assert sorted(row.name for row in rows) == ["orphan", "p", "q"]


def test_depth_has_no_limit():
    chain = [span(str(n), str(n - 1) if n else "", "s", n, n + 1) for n in range(3000)]
    assert waterfall(chain)[-1].depth == 2999


def test_what_went_wrong_is_noted():
    bad = span("a", "", "run", 0, 1, **{names.STATUS: "not_converged", names.ERROR: "3 findings are left"})
    failed = Span("b", "a", "t", "chat", 0, S, 2, "throttled", {})
    check = span("c", "a", "validator", 0, 1, **{names.CHECK_STATUS: "findings", names.FINDINGS: 3})
    model = span("d", "a", "chat m", 0, 1, **{names.INPUT_TOKENS: 12, names.OUTPUT_TOKENS: 3})
    rows = {row.name: row for row in waterfall([bad, failed, check, model])}
    assert (rows["run"].status, rows["run"].note) == ("error", "3 findings are left")
    assert (rows["chat"].status, rows["chat"].note) == ("error", "throttled")
    assert (rows["validator"].status, rows["validator"].note) == ("ok", "findings (3)")
    assert (rows["chat m"].input_tokens, rows["chat m"].output_tokens, rows["chat m"].note) == (12, 3, "")


def test_no_spans_no_rows():
    assert waterfall([]) == []
