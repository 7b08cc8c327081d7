"""Numbers, comparison and page of an evaluation."""

from pathlib import Path

import msgspec
import pytest
from evaluate_fakes import BAD, FakeAuthor, evaluated, refuse, tasks

from toolkit.contracts import Tree, Usage, to_json
from toolkit.errors import TfkitError, UsageError
from toolkit.evaluate.compare import compare
from toolkit.evaluate.page import page, write_page
from toolkit.evaluate.report import Report, read_report, report
from toolkit.evaluate.task import Answer


def bad() -> Answer:
    return Answer(
        run_id="r", status="not_converged", error="<script>x</script>", final=BAD, first=BAD, attempts=3
    )


def reported(folder: Path, name: str = "a.jsonl", **answers) -> Report:
    return report(evaluated(folder / name, FakeAuthor(answers), number=4), tasks(5))


def test_the_numbers_are_by_difficulty_and_in_all(tmp_path: Path) -> None:
    found = reported(tmp_path, t1=bad, t2=refuse)
    easy, hard = found.by_difficulty
    assert (easy.difficulty, easy.tasks, easy.failed, easy.plans, easy.final) == ("1", 1, 1, 1, 1)
    assert (hard.difficulty, hard.tasks, hard.failed, hard.plans, hard.final) == ("2", 2, 0, 1, 1)
    total = found.total
    assert (total.tasks, total.failed, total.first, total.final, total.attempts) == (3, 1, 0, 2, 7)
    assert (total.rules, total.ruled, total.input_tokens) == (2, 2, 200)
    assert total.cost_usd is None  # one run had no known price
    assert found.left == 2
    assert found.percent == 50.0


def test_costs_are_summed_where_all_are_known(tmp_path: Path) -> None:
    assert reported(tmp_path).total.cost_usd == pytest.approx(0.04)


def test_difficulties_are_in_the_order_of_a_reader(tmp_path: Path) -> None:
    journal = evaluated(tmp_path / "a.jsonl", FakeAuthor(), number=1)
    one = journal.outcomes[0]
    for level in ("10", "2", "hard", "easy", "odd", "medium"):
        journal.add(msgspec.structs.replace(one, task=f"x{level}", difficulty=level))
    order = [row.difficulty for row in report(journal).by_difficulty]
    assert order == ["1", "easy", "2", "medium", "hard", "10", "odd"]


def test_a_report_is_read_from_its_document_and_from_its_journal(tmp_path: Path) -> None:
    found = reported(tmp_path)
    document = tmp_path / "a.json"
    document.write_bytes(msgspec.json.format(to_json(found)))
    assert read_report(document) == found
    assert read_report(tmp_path / "a.jsonl").tasks == found.tasks
    document.write_text("[]")
    with pytest.raises(UsageError):
        read_report(document)


def test_what_flipped_between_two_evaluations(tmp_path: Path) -> None:
    a, b = reported(tmp_path, "a.jsonl", t1=bad, t2=refuse), reported(tmp_path, "b.jsonl", t3=bad)
    found = compare(a, b)
    assert [(flip.task, flip.flip) for flip in found.flips] == [("t1", "gained"), ("t3", "lost")]
    assert found.flips[0].before == "no plan, refused: <bad>"
    assert (found.common, found.only, found.same) == (3, 1, 1)
    assert (found.before.final, found.after.final) == (2, 2)
    back = compare(b, a)
    assert [flip.flip for flip in back.flips] == ["lost", "gained"]


def test_evaluations_of_two_datasets_are_not_compared(tmp_path: Path) -> None:
    a = reported(tmp_path)
    b = msgspec.structs.replace(a, evaluation=msgspec.structs.replace(a.evaluation, sha256="1" * 64))
    with pytest.raises(UsageError, match="two datasets"):
        compare(a, b)


def test_the_page_holds_everything_and_runs_nothing(tmp_path: Path) -> None:
    found = reported(tmp_path, t1=bad)
    html = page(found)
    assert "&lt;script&gt;x&lt;/script&gt;" in html
    assert "no plan, refused: &lt;bad&gt;" in html
    assert "<script" not in html
    assert "http" not in html.replace("http-equiv", "")
    assert "default-src &#x27;none&#x27;" in html or "default-src 'none'" in html
    assert "3 (75 %)" in html
    write_page(tmp_path / "a.html", found)
    assert (tmp_path / "a.html").read_text() == html
    with pytest.raises(TfkitError, match="cannot be written"):
        write_page(tmp_path / "none" / "a.html", found)


def test_no_files_and_no_tokens_are_no_mistake(tmp_path: Path) -> None:
    def nothing() -> Answer:
        return Answer(run_id="r", status="error", error="away", final=Tree(), usage=Usage())

    found = reported(tmp_path, t0=nothing)
    assert (found.total.tasks, found.total.final) == (4, 3)
