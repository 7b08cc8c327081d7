"""A report as one HTML file: nothing is fetched, nothing is executed, every text is escaped."""

import tempfile
from html import escape
from pathlib import Path

from toolkit.errors import TfkitError
from toolkit.evaluate.compare import ended
from toolkit.evaluate.report import Report, Row
from toolkit.evaluate.task import Outcome

# No script and no address: what a model or a dataset wrote is text, and the browser is told so once more.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"

_STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .3rem .6rem; border-bottom: 1px solid #8884; vertical-align: top; }
th:first-child, td:first-child, .text { text-align: left; }
tr.all { font-weight: 600; }
.yes { color: #16803c; } .no { color: #c02626; } .dim { opacity: .7; }
details > div { white-space: pre-wrap; overflow-wrap: anywhere; opacity: .85; }
"""

_COLUMNS = (
    "difficulty", "tasks", "plans", "rule holds", "pass@1", "pass@N", "attempts", "tokens in", "tokens out",
    "dollars", "seconds",
)  # fmt: skip


def write_page(path: Path, report: Report) -> None:
    """Write the report as a page: whole or not at all. Raises `TfkitError` where it cannot be written."""
    try:
        with tempfile.NamedTemporaryFile(
            "w", dir=path.parent, prefix=f".{path.name[:40]}-", encoding="utf-8", delete=False
        ) as file:
            file.write(page(report))
        Path(file.name).replace(path)
    except OSError as error:
        hint = "name a file in a folder that exists and that you may write to"
        raise TfkitError(f"the page cannot be written to {path}: {error.strerror or error}", hint) from error


def page(report: Report) -> str:
    """The report as HTML."""
    about = report.evaluation
    who = f"{about.model} ({about.author})" if about.model else "the reference answers"
    tools = ", ".join(f"{tool.name} {tool.version}" for tool in about.tools)
    rows = "".join(_row(row) for row in [*report.by_difficulty, report.total])
    tasks = "".join(_task(outcome) for outcome in report.tasks)
    heads = "".join(f"<th>{escape(name)}</th>" for name in _COLUMNS)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{escape(about.dataset)}: {escape(who)}</title><style>{_STYLE}</style></head><body>
<h1>{escape(about.dataset)}: {escape(who)}</h1>
<p class="dim">begun {escape(about.started)} · tfkit {escape(about.version)} · judged by {escape(tools)} ·
dataset {escape(about.sha256[:12])} · {report.left} tasks left</p>
<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>
<table><thead><tr><th>task</th><th>difficulty</th><th>pass@1</th><th>pass@N</th>
<th class="text">how it ended</th></tr></thead><tbody>{tasks}</tbody></table>
</body></html>
"""


def _row(row: Row) -> str:
    cells = [
        escape(row.difficulty),
        f"{row.tasks}" + (f" (+{row.failed} failed)" if row.failed else ""),
        _share(row.plans, row.tasks),
        f"{row.rules}/{row.ruled}" if row.ruled else "-",
        _share(row.first, row.tasks),
        _share(row.final, row.tasks),
        str(row.attempts),
        f"{row.input_tokens:,}",
        f"{row.output_tokens:,}",
        "-" if row.cost_usd is None else f"{row.cost_usd:.4f}",
        f"{row.seconds:.0f}",
    ]
    kind = ' class="all"' if row.difficulty == "all" else ""
    return f"<tr{kind}>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>\n"


def _share(part: int, whole: int) -> str:
    return f"{part} ({100 * part / whole:.0f} %)" if whole else "-"


def _task(outcome: Outcome) -> str:
    first = "-" if outcome.first is None else _mark(outcome.first.passed)
    final = "-" if outcome.final is None else _mark(outcome.final.passed)
    more = _details(outcome)
    text = escape(ended(outcome))
    told = f"<details><summary>{text}</summary><div>{more}</div></details>" if more else text
    return (
        f"<tr><td>{escape(outcome.task)}</td><td>{escape(outcome.difficulty)}</td><td>{first}</td>"
        f'<td>{final}</td><td class="text">{told}</td></tr>\n'
    )


def _mark(passed: bool) -> str:
    return '<span class="yes">passes</span>' if passed else '<span class="no">no</span>'


def _details(outcome: Outcome) -> str:
    lines = [f"run {outcome.run_id}: {outcome.status}"] if outcome.status != "reference" else []
    lines += [outcome.error] if outcome.error else []
    if outcome.final:
        lines += [f"{'✔' if one.met else '✘'} {one.what} {one.detail}" for one in outcome.final.expected]
        lines += [f"overlooked: {text}" for text in outcome.final.overlooked]
    if outcome.score:
        given = "no score" if outcome.score.score is None else f"{outcome.score.score:g} of 10"
        lines.append(f"{outcome.score.model} thinks: {given}: {outcome.score.reason}")
    return escape("\n".join(lines))
