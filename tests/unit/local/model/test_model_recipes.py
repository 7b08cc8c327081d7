"""The recipes themselves, and the small machinery that reads and renders them."""

import re

import pytest

from toolkit.local.model.findings import read_findings
from toolkit.local.model.layout import tidy
from toolkit.local.model.mend import mend
from toolkit.local.model.phrases import hits, phrases
from toolkit.local.model.recipe import load_book
from toolkit.local.model.template import RecipeError, render
from toolkit.local.model.wording import read_wording

BOOK = load_book()


def test_every_recipe_and_link_speaks_of_kinds_that_there_are() -> None:
    kinds = set(BOOK.recipes)
    assert len(kinds) >= 28
    for recipe in BOOK.recipes.values():
        assert {use.kind for use in (*recipe.uses, *recipe.implies)} <= kinds, recipe.kind
    names = {link.name for link in BOOK.links}
    for link in BOOK.links:
        assert {link.a, link.b} <= kinds, link.name
        assert set(link.otherwise) <= names, link.name


def test_every_part_of_a_link_has_a_slot_to_go_to() -> None:
    for link in BOOK.links:
        for role, slot, _ in link.parts:
            recipe = BOOK.recipes[link.a if role == "a" else link.b]
            texts = [recipe.body, *(text for _, text in recipe.sources)]
            assert any(re.search(rf"#(?:slot|if) {slot}\b", text) for text in texts), (link.name, slot)


def test_no_recipe_holds_what_the_checker_refuses() -> None:
    for recipe in BOOK.recipes.values():
        for word in ("provisioner", "backend", "file(", "external", "remote_state", "archive_file"):
            assert word not in recipe.body, recipe.kind


@pytest.mark.parametrize(
    ("patterns", "text", "value"),
    [
        ("<days> retention", "with 2-week retention", "14"),
        ("time ?out of <seconds>", "a timeout of 5 minutes", "300"),
        ("memory <mb>", "memory 1 GB", "1024"),
        ("<gb> disk", "2 TB disk", "2048"),
        ("versioning", "no versioning", "off"),
        ("versioning", "versioning disabled", "off"),
        ("versioning", "without logging, with versioning", "on"),
        ("postgres => pg | mysql => my", "use mysql", "my"),
        ("python ?(3\\.\\d+) => python\\1", "Python 3.12", "python3.12"),
    ],
)
def test_a_phrase_finds_a_value_in_its_unit(patterns: str, text: str, value: str) -> None:
    assert [hit.value for hit in hits(phrases(patterns), text)] == [value]


@pytest.mark.parametrize("text", ["unversioning", "versioningly", "a-b"])
def test_a_phrase_keeps_to_whole_words(text: str) -> None:
    assert hits(phrases("versioning | b"), text) == ()


def test_names_are_hidden_and_come_back() -> None:
    wording = read_wording("two queues called lambda-events and billing, and a `table` named x")
    assert wording.names == ("table", "lambda-events", "billing", "x")
    assert wording.text == "2 queues called @1@, @2@, and a @0@ named @3@"
    assert wording.plain("@1@") == "lambda-events"


def test_one_name_only_after_a_singular() -> None:
    assert read_wording("a queue called orders and a lambda").names == ("orders",)
    assert read_wording("a queue called the best").names == ()


def test_a_template_carries_out_its_directives() -> None:
    body = "#if a and not b\n__a__\n#if c == x\nno __missing__\n#end\n#else\n__missing__\n#end\n  #slot s\n"
    assert render(body, {"a": "1", "b": "off"}, {"s": ["l1\n\nl2\n"]}) == "1\n  l1\n\n  l2\n"
    assert render("#each r in l\n__r_n__:__r_1__-__r_2__\n#end\n", {"l": "a,b\nc,d"}, {}) == "1:a-b\n2:c-d\n"


@pytest.mark.parametrize("body", ["#if a\n", "#end\n", "__unknown__\n", "#each x in y\n"])
def test_a_broken_recipe_is_refused(body: str) -> None:
    with pytest.raises(RecipeError):
        render(body, {"a": "1", "y": "z"}, {})


def test_the_layout_is_that_of_terraform_fmt() -> None:
    text = 'a {\n\n  x = 1\n  long_name = "{"\n  list = [\n    1,\n  ]\n  y   = 2\n\n\n  z = 3\n\n}\n'
    assert tidy(text) == (
        'a {\n  x         = 1\n  long_name = "{"\n  list = [\n    1,\n  ]\n  y = 2\n\n  z = 3\n}\n'
    )


@pytest.mark.parametrize(
    ("finding", "before", "after"),
    [
        (
            "a.tf: low [fmt/format] not formatted",
            'x "a" {\na=1\n   bb = 2\n}\n',
            'x "a" {\n  a  = 1\n  bb = 2\n}\n',
        ),
        (
            'a.tf:1: low [tflint/terraform_unused_declarations] variable "b" is declared but not used',
            'variable "b" {\n  type = string\n}\n\nvariable "c" {\n}\n',
            'variable "c" {\n}\n',
        ),
        (
            'a.tf:2: high [validate/error] Unsupported argument: An argument named "colour" is not expected',
            'x "a" {\n  colour = "red"\n  b = 1\n}\n',
            'x "a" {\n  b = 1\n}\n',
        ),
    ],
)
def test_the_known_mends(finding: str, before: str, after: str) -> None:
    (read,) = read_findings(finding)
    assert mend(read, before) == after


def test_a_mend_that_does_not_apply_gives_nothing() -> None:
    (read,) = read_findings('a.tf:1: high [validate/error] Unsupported argument: An argument named "colour"')
    assert mend(read, "x {\n}\n") is None


def test_findings_are_read_with_and_without_a_place() -> None:
    text = "Not passed.\n- s3.tf:12: high [checkov/CKV_1] No log (hint: add (one))\n: low [fmt/x] m\nnoise"
    first, second = read_findings(text)
    assert (first.file, first.line, first.severity, first.validator, first.rule) == (
        "s3.tf",
        12,
        "high",
        "checkov",
        "CKV_1",
    )
    assert (first.message, first.hint) == ("No log", "add (one)")
    assert (second.file, second.line, second.message) == ("", 0, "m")
