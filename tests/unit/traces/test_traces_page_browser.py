"""The page in a real browser, without a screen: nothing executes, all of it works, by keyboard too.

Skipped, with the reason, where there is no Chromium or no playwright.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from traces_pages import (
    FILE,
    answered,
    called,
    chat,
    details,
    said,
    span,
    summary,
    tool,
    usual_result,
    usual_spans,
)

from toolkit.contracts import Attempt, Finding, TraceSummary
from toolkit.traces.page import RunDetails, write_page

sync_api = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed: uv sync --group dev"
)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium")

PWN = (
    "</script><script>window.__pwned=1</script><img src=x onerror='window.__pwned=2'>"
    "<svg onload=window.__pwned=3><!--<script>\u2028\"'`${window.__pwned=4}&lt;b&gt;"
)


class Visit:
    """A page that is open. `problems` is whatever its console or its script complained of."""

    def __init__(self, page: Any, url: str) -> None:
        self.page = page
        self.url = url
        self.problems: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.problems.append(message.text))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("dialog", lambda dialog: self.problems.append(dialog.message))
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto(url)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.page, name)

    def run(self, number: int = 0, tab: str = "waterfall") -> None:
        """Open the run in that row of the list."""
        self.page.locator("#runs-grid .row").nth(number).click()
        self.page.click(f"#tab-{tab}")

    def ids(self) -> list[str]:
        return self.page.locator("#runs-grid .row .c-run_id code").all_inner_texts()

    def names(self) -> list[str]:
        return self.page.locator("#spans-grid .row .label").all_inner_texts()

    def focused(self) -> str:
        """The id of what has the focus, or what it says."""
        return self.page.evaluate("document.activeElement.id || document.activeElement.textContent")

    def wait_for_focus(self, expected: str) -> None:
        """Another address is shown a moment after it is set."""
        sync_api.expect(self.page.locator(f"#{expected}")).to_be_focused()

    def active(self) -> str:
        return self.page.locator(".grid:focus .row.active").inner_text()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        # As root, as in a container, Chromium's own sandbox cannot be had.
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


Open = Callable[..., Visit]


@pytest.fixture
def visit(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Writes a page and opens it; afterwards there was no request but its own, and no complaint."""
    visits: list[Visit] = []

    def opened(found: list[RunDetails], runs: list[TraceSummary] | None = None, **context: Any) -> Visit:
        path = tmp_path / "page.html"
        write_page(path, runs or [one.trace.summary for one in found], found, f"heading {PWN}")
        page = browser.new_context(**context).new_page()
        page.set_default_timeout(10_000)
        visits.append(Visit(page, path.as_uri()))
        return visits[-1]

    yield opened
    for one in visits:
        problems, requests = one.problems, [url for url in one.requests if url.partition("#")[0] != one.url]
        one.page.context.close()
        assert (problems, requests) == ([], [])


def some_runs() -> list[TraceSummary]:
    return [
        summary("run-cheap001", cost_usd=0.001, seconds=90.0, start="2026-11-18T03:00:00.000Z"),
        summary("run-costly01", cost_usd=0.9, status="error", start="2026-11-18T02:00:00.000Z"),
        summary("run-unpriced", cost_usd=None, model="sonnet", start="2026-11-18T01:00:00.000Z"),
    ]


# -- nothing executes --------------------------------------------------------------------------


def hostile() -> RunDetails:
    """A run in which every text that anyone outside can choose tries to be markup."""
    finding = Finding(
        validator=PWN,
        rule=PWN,
        severity="high",
        message=PWN,
        file=PWN,
        hint=PWN,
        url="javascript:window.__pwned=5",
    )
    attempt = Attempt(
        n=1, tree=PWN, validators={PWN: "findings"}, findings=[finding],
        diff=f"--- a/{PWN}\n+++ b/{PWN}\n@@ -1 +1 @@\n-{PWN.replace(chr(10), '')}\n+{PWN}\n{PWN}",
    )  # fmt: skip
    result = usual_result(
        prompt=PWN, output=PWN, error=PWN, model=PWN, attempts=[attempt], not_proven=[PWN], sandbox=PWN
    )
    history = [
        said(PWN, PWN),
        said("user", PWN),
        called(PWN, {PWN: PWN, "n": {PWN: PWN}}, PWN),
        answered(PWN, PWN, PWN),
    ]
    spans = [
        span(1, PWN, error=PWN, **{PWN: PWN, "gen_ai.agent.name": PWN}),
        chat(
            2, history, [said("assistant", PWN) | {"finish_reason": PWN}], 1, **{"gen_ai.request.model": PWN}
        ),
        tool(3, PWN, {PWN: PWN}, PWN, 2),
    ]
    return details("run-hostile1", spans, result=result, files={PWN: PWN.encode()}, model=PWN, status=PWN)


def test_nothing_that_a_model_or_a_tool_wrote_executes_or_becomes_markup(visit: Open) -> None:
    opened = visit([hostile()])
    opened.run()
    for number in range(3):
        opened.locator("#spans-grid .line").nth(number).click()
    for tab in ("conversation", "attempts"):
        opened.click(f"#tab-{tab}")
        assert "<img src=x onerror=" in opened.locator(f"#panel-{tab}").inner_text()
    opened.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    sync_api.expect(opened.locator("details:not(:has(> :nth-child(2)))")).to_have_count(0)
    made = "img, iframe, object, embed, svg:not(.spark), link, form, a[href^=javascript], [onerror], [onload]"
    assert opened.locator(made).count() == 0
    assert opened.locator("script:not([type='application/json'])").count() == 1
    assert opened.evaluate("window.__pwned") is None


def test_the_policy_stops_what_would_get_in_all_the_same(visit: Open) -> None:
    opened = visit([details()])
    opened.evaluate(
        """() => {
          const image = document.createElement("img");
          image.setAttribute("onerror", "window.__pwned = 1");
          image.src = "https://example.invalid/x.png";
          const script = document.createElement("script");
          script.textContent = "window.__pwned = 2";
          document.body.append(image, script);
          return fetch("https://example.invalid/").catch(() => new Promise((done) => setTimeout(done, 0)));
        }"""
    )
    assert opened.evaluate("window.__pwned") is None
    assert len([text for text in opened.problems if "Content Security Policy" in text]) >= 3
    opened.problems.clear()
    opened.requests.clear()  # they were stopped before they left


def test_texts_cannot_hide_or_turn_around_what_stands_beside_them(visit: Open) -> None:
    opened = visit([details(spans=usual_spans(result="safe\u202egnp.exe\u200b\x1b[31m"))])
    opened.run(tab="conversation")
    assert "safe\ufffdgnp.exe\ufffd\u241b[31m" in opened.locator("#panel-conversation").inner_text()


# -- size --------------------------------------------------------------------------------------


def test_a_message_of_two_megabytes_is_shown_when_it_is_asked_for(visit: Open) -> None:
    lines = "".join(f"line {number} of a long answer\n" for number in range(70_000))
    for text in (lines, "x" * 2_000_000):
        opened = visit([details(spans=usual_spans(reply=text))])
        opened.run(tab="conversation")
        article = opened.locator("article").last
        assert len(article.inner_text()) < 5000
        button = article.locator("button.more")
        assert "MB" in button.inner_text()
        button.click()
        whole = (
            "[...document.querySelectorAll('article:last-child pre .block')].map((one) => one.textContent)"
        )
        assert (
            "".join(opened.evaluate(whole)) == text.replace("\n", "")
            or "\n".join(opened.evaluate(whole)) == text
        )
        assert button.get_attribute("aria-expanded") == "true"
        button.click()
        assert len(article.inner_text()) < 5000


def many_spans(count: int) -> RunDetails:
    spans = [span(0, "run", took=float(count)), span(1, "invoke_agent writer", 0, took=float(count))]
    spans += [tool(number, f"tool_{number}", {}, f"result {number}", number) for number in range(2, count)]
    return details(spans=spans)


def test_of_five_thousand_spans_only_those_near_the_screen_are_made(visit: Open) -> None:
    opened = visit([many_spans(5000)], viewport={"width": 1280, "height": 800})
    opened.run()
    assert opened.locator("#panel-waterfall output").inner_text() == "5,000 spans"
    assert 20 < opened.locator("#spans-grid .row").count() < 500
    opened.focus("#spans-grid")
    opened.keyboard.press("End")
    assert "tool_4999" in opened.active()
    box = opened.locator("#spans-grid .row.active").bounding_box()
    assert 0 <= box["y"] <= 800 - box["height"]
    opened.fill("#panel-waterfall input", "tool_4321")
    assert opened.names()[-1].endswith("tool_4321")
    assert opened.locator("#panel-waterfall output").inner_text() == "1 of 5,000 spans"


def test_all_rows_are_made_for_printing(visit: Open) -> None:
    opened = visit([many_spans(1000)])
    opened.run()
    assert opened.locator("#spans-grid .row").count() < 500
    opened.emulate_media(media="print")
    opened.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert opened.locator("#spans-grid .row").count() == 1000
    assert not opened.locator("#panel-waterfall input").is_visible()


def test_a_long_conversation_is_made_as_it_is_read_and_whole_for_printing(visit: Open) -> None:
    history = [said("user", f"question {number}") for number in range(500)]
    opened = visit([details(spans=[chat(1, history, [said("assistant", "so be it")], 1)])])
    opened.run(tab="conversation")
    first = opened.locator("#panel-conversation article").count()
    assert 20 < first < 400
    opened.locator("#panel-conversation article").last.scroll_into_view_if_needed()
    sync_api.expect(opened.locator("#panel-conversation article").nth(first)).to_be_attached()
    opened.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert opened.locator("#panel-conversation article").count() == 501


# -- sorting, filtering, reading ---------------------------------------------------------------


def test_runs_are_sorted_by_their_columns(visit: Open) -> None:
    opened = visit([details("run-cheap001")], some_runs())
    assert opened.ids() == ["run-cheap001", "run-costly01", "run-unpriced"]
    for key, expected in (
        ("cost", ["run-costly01", "run-cheap001", "run-unpriced"]),
        ("cost", ["run-unpriced", "run-cheap001", "run-costly01"]),
        ("took", ["run-cheap001", "run-unpriced", "run-costly01"]),
        ("model", ["run-costly01", "run-cheap001", "run-unpriced"]),
    ):
        opened.click(f".head .c-{key} button")
        assert opened.ids() == expected, key
    assert opened.locator("[aria-sort=ascending]").inner_text().startswith("model")


def test_runs_are_filtered_and_the_totals_with_them(visit: Open) -> None:
    opened = visit([details("run-cheap001")], some_runs())
    assert opened.locator(".figure").first.inner_text() == "3"
    opened.select_option("#status", "error")
    assert opened.ids() == ["run-costly01"]
    assert opened.locator("#count").inner_text() == "1 of 3 runs"
    assert opened.locator(".figure").all_inner_texts()[3] == "$0.90"
    opened.select_option("#status", "")
    opened.fill("#search", "sonnet unpriced")
    assert opened.ids() == ["run-unpriced"]
    assert opened.locator(".figure").all_inner_texts()[3] == "\u2013"
    opened.fill("#search", "encrypted")
    assert opened.ids() == ["run-cheap001"]
    opened.fill("#search", "nothing of the kind")
    assert "No run matches" in opened.locator("#runs-grid").inner_text()


def test_spans_are_filtered_with_what_they_hang_under(visit: Open) -> None:
    spans = [*usual_spans(), span(6, "validator checkov", 0, 11, error="it crashed", **{"tfkit.findings": 1})]
    opened = visit([details(spans=spans)])
    opened.run()
    opened.click(".chip.k-tool")
    assert opened.names() == ["run", "invoke_agent writer", "execute_tool write_file"]
    opened.click(".chip.k-tool")
    opened.click(".chip.k-errors")
    assert opened.names() == ["run", "validator checkov"]
    assert "failed: it crashed" in opened.locator("#spans-grid").inner_text()


def test_a_run_is_told_span_by_span_message_by_message_attempt_by_attempt(visit: Open) -> None:
    opened = visit([details()])
    opened.run()
    opened.locator("#spans-grid .line").nth(3).click()
    assert 'resource "aws_s3_bucket"' in opened.locator("#spans-grid .detail").inner_text()
    opened.click("#tab-conversation")
    roles = opened.locator("#panel-conversation .role").all_inner_texts()
    assert roles == ["system", "user", "assistant", "tool", "assistant"]
    opened.click("#tab-attempts")
    attempts = opened.locator(".attempt")
    assert "no such argument" in attempts.nth(0).inner_text()
    assert attempts.nth(0).locator(".add").count() == len(FILE.splitlines())
    assert attempts.nth(1).locator(".file summary code").all_inner_texts() == ["main.tf", "new.tf", "old.tf"]
    opened.locator(".attempts > .part .file summary").click()
    assert opened.locator(".attempts > .part .file pre").inner_text().startswith("resource")


def test_a_run_without_details_says_how_to_get_them(visit: Open) -> None:
    opened = visit([details("run-cheap001")], some_runs())
    opened.locator("#runs-grid .row").nth(1).click()
    assert "tfkit traces --run run-costly01 --html FILE" in opened.locator("#run").inner_text()


def test_an_address_leads_to_its_run_and_a_strange_one_to_the_list(visit: Open) -> None:
    opened = visit([details("run-cheap001")], some_runs())
    for strange in ("#run-none/x", "#%E0%A4%A", "#/"):
        opened.goto(opened.url + strange)
        assert opened.locator("#list").is_visible()
    opened.goto(opened.url + "#run-cheap001/attempts")
    assert opened.locator("#panel-attempts").is_visible()
    opened.go_back()
    opened.wait_for_selector("#list", state="visible")


# -- keyboard, colours, width ------------------------------------------------------------------


def test_the_keyboard_alone_leads_everywhere(visit: Open) -> None:
    opened = visit([details("run-costly01")], some_runs())
    press = opened.keyboard.press
    press("/")
    assert opened.focused() == "search"
    for expected in ("status", "model", "runs-grid"):
        press("Tab")
        assert opened.focused() == expected
    press("ArrowDown")
    assert "run-costly01" in opened.active()
    press("Enter")
    opened.wait_for_focus("tab-waterfall")
    while opened.focused() != "spans-grid":
        press("Tab")
    press("ArrowLeft")  # folds the root
    assert len(opened.names()) == 1
    press("ArrowRight")
    press("ArrowDown")
    press("ArrowDown")
    assert "chat haiku" in opened.active()
    press("Enter")
    assert opened.locator(".detail").is_visible()
    press("ArrowLeft")  # to the parent
    assert "invoke_agent" in opened.active()
    for _ in range(20):
        if opened.focused() == "tab-waterfall":
            break
        press("Shift+Tab")
    press("ArrowRight")
    assert opened.focused() == "tab-conversation"
    assert opened.locator("#panel-conversation").is_visible()
    press("Escape")
    opened.wait_for_focus("runs-grid")
    assert "run-costly01" in opened.active()


def test_whatever_has_the_focus_shows_it(visit: Open) -> None:
    opened = visit([details("run-costly01")], some_runs())
    seen: set[str] = set()
    for _ in range(20):
        opened.keyboard.press("Tab")
        where = opened.focused()
        style = (
            "getComputedStyle(document.querySelector('.grid:focus .row.active') || document.activeElement)"
        )
        if where and where != opened.evaluate("document.body.textContent"):
            seen.add(where)
            assert opened.evaluate(f"{style}.outlineStyle") == "solid", where
    assert {"search", "status", "runs-grid"} <= seen


CONTRASTS = """() => {
  const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, n) => sum + v * [0.2126, 0.7152, 0.0722][n], 0);
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const color = numbers(getComputedStyle(node).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    throw new Error("no background");
  };
  return [...document.querySelectorAll("body *")]
    .filter((node) => node.checkVisibility() && !["OPTION", "SCRIPT"].includes(node.tagName))
    .filter((node) => [...node.childNodes].some((one) => one.nodeType === 3 && one.data.trim()))
    .map((node) => {
      const both = [numbers(getComputedStyle(node).color), behind(node)];
      const [a, b] = both.map(light).sort((x, y) => y - x);
      return [(a + 0.05) / (b + 0.05), `${node.tagName}.${node.className}: ${node.textContent.slice(0, 40)}`];
    });
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(visit: Open, scheme: str) -> None:
    """At least 4.5 to 1: https://www.w3.org/TR/WCAG22/#contrast-minimum."""
    kinds = ["ok", "running", "not_converged", "budget_exceeded", "cancelled", "error"]
    runs = [summary(f"run-0000000{n}", status=status) for n, status in enumerate(kinds)]
    spans = [*usual_spans(), span(6, "validator checkov", 0, 11, error="it crashed")]
    opened = visit([details("run-00000000", spans)], runs, color_scheme=scheme)
    texts = opened.evaluate(CONTRASTS)
    opened.run(len(runs) - 1)
    for number in (2, 3, 6):
        opened.locator("#spans-grid .line").nth(number).click()
    for tab in ("waterfall", "conversation", "attempts"):
        opened.click(f"#tab-{tab}")
        opened.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        texts += opened.evaluate(CONTRASTS)
    assert len(texts) > 150
    assert [text for text in texts if text[0] < 4.5] == []
    is_dark = opened.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 17, 21)"
    assert is_dark == (scheme == "dark")


def test_on_a_telephone_nothing_is_wider_than_the_screen(visit: Open) -> None:
    wide = usual_spans(prompt="w" * 500, result="y" * 500)
    opened = visit(
        [details(spans=wide, result=usual_result(prompt="w" * 500))], viewport={"width": 400, "height": 800}
    )
    widths = [opened.evaluate("document.documentElement.scrollWidth")]
    opened.run()
    opened.locator("#spans-grid .line").nth(3).click()
    for tab in ("waterfall", "conversation", "attempts"):
        opened.click(f"#tab-{tab}")
        widths.append(opened.evaluate("document.documentElement.scrollWidth"))
    assert widths == [400] * 4
    rows = opened.evaluate("[...document.querySelectorAll('#runs-grid .row')].map((one) => one.offsetHeight)")
    assert all(one == other for one, other in pairwise(rows))
