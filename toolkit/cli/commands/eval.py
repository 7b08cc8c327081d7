"""`tfkit eval`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolkit.cli.commands.ask import DEPTHS
from toolkit.cli.options import Session, command, session
from toolkit.errors import TfkitError, UsageError

if TYPE_CHECKING:
    from toolkit.client import Client
    from toolkit.contracts import RehearseDepth
    from toolkit.deploy.platform import Platform
    from toolkit.evaluate.authors import Author
    from toolkit.evaluate.journal import Header
    from toolkit.evaluate.judge import Judge
    from toolkit.evaluate.runner import Rate
    from toolkit.evaluate.task import Dataset

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@command("eval")
@click.argument("dataset", required=False)
@click.option("-m", "--model", default="", metavar="MODEL", help="A model of the registry (its default).")
@click.option(
    "-o",
    "--output",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The journal; the same file again goes on (tfkit-evals/DATASET-TIME.jsonl).",
)
@click.option("-j", "--jobs", type=click.IntRange(1, 64), default=2, metavar="N", help="Tasks at once (2).")
@click.option("--only", metavar="A,B", help="These tasks, by their ids.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="The first N tasks.")
@click.option("--oracle", is_flag=True, help="Judge the dataset's reference answers; asks no agent.")
@click.option("--local-agent", is_flag=True, help="This installation's agent, in this process.")
@click.option("--rehearse", type=click.Choice(DEPTHS), help="As in `ask` (plan).")
@click.option(
    "--max-cost", type=click.FloatRange(min=0, min_open=True), metavar="USD", help="What a run may cost."
)
@click.option("--timeout", type=click.FloatRange(min=1), metavar="S", help="What a run may take (600).")
@click.option("--rubric", type=FILE, metavar="FILE", help="What a model is to score answers by.")
@click.option("--judge-model", default="", metavar="MODEL", help="The model that scores by --rubric.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Also a page.")
@click.option(
    "--fail-under",
    type=click.FloatRange(0, 100),
    metavar="PCT",
    help="Exit 1 where fewer of a hundred tasks pass.",
)
@click.option(
    "--compare", "compared", nargs=2, type=FILE, metavar="A B", help="Two reports or journals, task by task."
)
def eval(  # noqa: A001 - named as the command is
    dataset: str | None,
    model: str,
    file: Path | None,
    jobs: int,
    only: str | None,
    limit: int | None,
    oracle: bool,
    local_agent: bool,
    rehearse: "RehearseDepth | None",
    max_cost: float | None,
    timeout: float | None,
    rubric: Path | None,
    judge_model: str,
    html: Path | None,
    fail_under: float | None,
    compared: tuple[Path, Path] | None,
) -> None:  # fmt: skip
    """Run a set of prompts through the agent, and judge them.

    DATASET is a .csv of IaC-Eval's form, a .yaml of tfkit's, or `starter`: 30 prompts that come with tfkit.
    An answer passes if the real provider plans it against a throwaway emulator, the task's rule (Rego) holds
    on that plan, and everything else that is expected is met; no AWS account is needed. pass@1 is of each
    run's first attempt, pass@N of its last.

    The exit code is 0 once every task was done, whatever came of it; 1 with --fail-under, or where some could
    not be done: the same command does those again.

    \b
    Examples:
      tfkit eval starter
      tfkit eval iac-eval.csv -m haiku -j 4 -o haiku.jsonl --html haiku.html
      tfkit eval iac-eval.csv --oracle --limit 20
      tfkit eval --compare before.jsonl after.jsonl
    """
    run = session()
    if compared:
        if dataset:
            raise UsageError("--compare runs nothing", "leave DATASET out: tfkit eval --compare A B")
        _compare(run, compared)
        return
    _refuse_contradictions(dataset, oracle, local_agent, rubric, judge_model)
    asked = _Asked(run, dataset or "", only, limit, oracle=oracle)
    header = asked.header(model, oracle, local_agent, rehearse, max_cost, timeout)
    rate = asked.rate(rubric, judge_model) if rubric else None
    code = _run(asked, header, file, jobs, rate, html, fail_under)
    click.get_current_context().exit(code)


def _refuse_contradictions(
    dataset: str | None, oracle: bool, local_agent: bool, rubric: Path | None, judge_model: str
) -> None:
    if not dataset:
        raise UsageError("say which dataset", "tfkit eval starter, or a .csv or .yaml file")
    if oracle and local_agent:
        raise UsageError("--oracle asks no agent", "leave --local-agent out")
    if bool(rubric) != bool(judge_model):
        raise UsageError("--rubric and --judge-model go together", "say by what, and which model scores")


def _compare(run: Session, files: tuple[Path, Path]) -> None:
    from toolkit.cli.render_eval import render_comparison
    from toolkit.evaluate.compare import compare
    from toolkit.evaluate.report import read_report

    comparison = compare(*(read_report(file) for file in files))
    if run.output.json:
        run.output.document(comparison)
    else:
        render_comparison(run.output.console(), comparison)


class _Asked:
    """What is to be evaluated, and the platform where one is needed."""

    def __init__(
        self, run: Session, dataset: str, only: str | None, limit: int | None, *, oracle: bool = False
    ) -> None:
        from toolkit.evaluate.dataset import chosen, load_dataset

        self.run = run
        self.dataset: Dataset = load_dataset(dataset)
        self.tasks = chosen(self.dataset, only, limit)
        if oracle:
            self._leave_out_unanswered()
        self.settings = run.settings()
        self._client: Client | None = None
        self._platform: Platform | None = None

    def _leave_out_unanswered(self) -> None:
        """Tasks without a reference answer say nothing about the judge."""
        answered = [task for task in self.tasks if task.reference]
        if not answered:
            raise UsageError("none of the tasks has a reference answer", "leave --oracle out")
        if unanswered := len(self.tasks) - len(answered):
            self.run.output.note(f"left out, for they have no reference answer: {unanswered}")
        self.tasks = answered

    def _reach(self) -> None:
        """The platform, which `--oracle` needs none of."""
        from toolkit.client import Client

        if self._client is None:
            self._platform = self.run.platform()
            self._client = Client(self._platform.cloud, self._platform.outputs())

    def header(
        self,
        model: str,
        oracle: bool,
        local_agent: bool,
        rehearse: "RehearseDepth | None",
        max_cost: float | None,
        timeout: float | None,
    ) -> "Header":
        """What this evaluation is of. Raises `UsageError` for an unknown model."""
        from toolkit import __version__
        from toolkit.evaluate.journal import Header
        from toolkit.tables import new_run_id, now

        return Header(
            v=1,
            id=new_run_id(),
            dataset=self.dataset.name,
            sha256=self.dataset.sha256,
            author="reference" if oracle else "local-agent" if local_agent else "agent",
            model="" if oracle else self._model(model),
            version=__version__,
            started=now(),
            rehearse=rehearse or self.settings.rehearse,
            timeout_s=timeout or self.settings.budget_seconds,
            max_cost_usd=max_cost or self.settings.budget_usd,
        )

    def _model(self, name: str) -> str:
        from toolkit.registry import find

        self._reach()
        assert self._client
        return find(self._client.registry(), name)[0]

    def author(self, header: "Header") -> "Author":
        """Who answers."""
        from toolkit.contracts import AskRequest
        from toolkit.evaluate.authors import DeployedAgent, LocalAgent, References

        if header.author == "reference":
            return References()
        self._reach()
        assert self._client
        assert self._platform
        request = AskRequest(
            run_id=header.id,
            prompt="",
            model=header.model,
            caller=self._client.caller(),
            rehearse=header.rehearse,
            timeout_s=header.timeout_s,
            max_cost_usd=header.max_cost_usd,
            max_turns=self.settings.budget_turns,
            max_tool_calls=self.settings.budget_tool_calls,
            max_tokens=self.settings.budget_tokens,
        )
        if header.author == "agent":
            return DeployedAgent(self._client, request)
        return LocalAgent(self._client, request, self._platform.cloud, self._platform.outputs())

    def rate(self, rubric: Path, name: str) -> "Rate":
        """The model that scores; it is called with the caller's own rights."""
        from toolkit.agent.mistral_key import provider_key
        from toolkit.agent.models import build
        from toolkit.evaluate.rubric import Rubric
        from toolkit.registry import find

        self._reach()
        assert self._client
        assert self._platform
        chosen, entry = find(self._client.registry(), name)
        cloud = self._platform.cloud

        def key() -> str:
            """The caller's own: the platform's is for its agent."""
            return os.environ.get("TFKIT_MISTRAL_KEY") or provider_key(cloud.client("ssm"), "", chosen)

        model = build(entry, cloud.client("bedrock-runtime"), key)
        return Rubric(rubric.read_text("utf-8"), chosen, model).score


def _run(
    asked: _Asked,
    header: "Header",
    file: Path | None,
    jobs: int,
    rate: "Rate | None",
    html: Path | None,
    fail_under: float | None,
) -> int:
    import msgspec

    from toolkit.cli.render_eval import EvalProgress, render_report
    from toolkit.evaluate.journal import Journal
    from toolkit.evaluate.page import write_page
    from toolkit.evaluate.report import report
    from toolkit.evaluate.runner import Runner

    output = asked.run.output
    author = asked.author(header)
    judge = _judge(asked)
    path = file or Path("tfkit-evals") / f"{header.dataset}-{header.id}.jsonl"
    journal = Journal.begin(path, msgspec.structs.replace(header, tools=judge.tools))
    if done := sum(journal.done(task.id) for task in asked.tasks):
        output.note(f"{done} of {len(asked.tasks)} tasks are done already in {path}")
    with EvalProgress(output, journal, asked.tasks, asked.dataset.name) as progress:
        Runner(author, judge, journal, progress.step, rate).run(asked.tasks, jobs)
    found = report(journal, asked.tasks)
    if html:
        write_page(html, found)
    if output.json:
        output.document(found)
    else:
        render_report(output.console(), found, detailed=output.verbose)
    below = fail_under is not None and found.percent < fail_under
    if below:
        output.note(f"{found.percent:.1f} % passed, which is under {fail_under:g} %")
    return TfkitError.exit_code if below or found.left else 0


def _judge(asked: _Asked) -> "Judge":
    """The judge with all its tools; what is missing is installed, and said."""
    from toolkit.checker.mirrors import DEFAULT_SOURCES, mirror_folders
    from toolkit.cli.validating import use_tools
    from toolkit.deploy.machine import prepare
    from toolkit.evaluate.judge import Judge
    from toolkit.evaluate.opa import require_opa

    settings, output = asked.settings, asked.run.output
    use_tools(settings)
    made = prepare(settings.folder, output.note)
    ruled = any(task.expect.rego.strip() for task in asked.tasks)
    return Judge(
        require_opa(output.note) if ruled else None,
        mirrors=[*mirror_folders(), *([made] if made else [])],
        sources=tuple(dict.fromkeys((*DEFAULT_SOURCES, *settings.image_providers))),
    )
