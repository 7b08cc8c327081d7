"""The shapes of an evaluation: tasks, what is expected of an answer, and what the judge says of it."""

from typing import Annotated, Any, Literal

import msgspec

from toolkit.contracts import Shape, Tree, Usage

Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$")]
Text = Annotated[str, msgspec.Meta(min_length=1)]
Count = Annotated[int, msgspec.Meta(ge=0)]


class Wanted(Shape, frozen=True):
    """What one argument of a planned resource has to be; some resource of the type has to have all of it.

    `path` is a JMESPath into the planned values. `present` is also true of what is known after apply only.
    `matches` is a regular expression that is found in the text.
    """

    resource: Text
    path: Text
    equals: Any = msgspec.UNSET
    one_of: list[Any] | None = None
    at_least: float | None = None
    at_most: float | None = None
    matches: str | None = None
    present: bool | None = None


class Expected(Shape, frozen=True):
    """What has to hold of an answer's plan besides that there is one.

    `resources` says how many of a type are planned at least, `absent` which must not be. `clean` names
    validators that find nothing at their threshold. `rego` is a rule as in `opa`; `jmespath` are queries
    on the plan, each of which must come to something (not null, false or empty).
    """

    resources: dict[str, Count] = {}
    absent: list[str] = []
    attributes: list[Wanted] = []
    clean: list[str] = []
    rego: str = ""
    jmespath: list[str] = []


class Task(Shape, frozen=True):
    """A prompt with its expectations. `files` are what the author starts from, `reference` the right answer.

    Both are texts by path.
    """

    id: Name
    prompt: Text
    difficulty: str = ""
    files: dict[str, str] = {}
    expect: Expected = Expected()
    reference: dict[str, str] = {}


class Dataset(Shape, frozen=True):
    """A set of tasks; `sha256` is of the file that it was read from."""

    name: str
    sha256: str
    tasks: list[Task]


PlanStatus = Literal["planned", "refused", "unsupported", "slow", "error", "nothing"]
"""`refused` is the program's own fault; `unsupported`, `slow` and `error` are not, and are no plan all the
same; `nothing` is an answer without files."""

RuleStatus = Literal["passes", "fails", "error", "not_run", "none"]
"""`error`: the rule cannot be evaluated, `not_run`: there is no plan, `none`: there is no rule."""


class Met(Shape, frozen=True):
    """One expectation, and whether it was met; `detail` says what was found where it was not."""

    what: str
    met: bool
    detail: str = ""


class Verdict(Shape, frozen=True):
    """What the judge says of one tree. `overlooked` is what it did not look at (`evaluate.overlooked`)."""

    tree: str
    plan: PlanStatus
    reason: str = ""
    rule: RuleStatus = "none"
    rule_reason: str = ""
    expected: list[Met] = []
    overlooked: list[str] = []
    seconds: float = 0.0

    @property
    def plans(self) -> bool:
        """Whether the real provider made a plan of it."""
        return self.plan == "planned"

    @property
    def passed(self) -> bool:
        """Whether it plans and everything that was expected holds."""
        return self.plans and self.rule in ("passes", "none") and all(one.met for one in self.expected)


class Score(Shape, frozen=True):
    """What a model thinks of an answer, 0 to 10: no part of `passed`. `score` is None where it gave none."""

    model: str
    score: float | None
    reason: str


class Answer(Shape, frozen=True):
    """What an author made of a task. `first` is the tree of its first attempt, None where there was none.

    `status` is how the run ended, `reference` for a dataset's own answer.
    """

    run_id: str
    status: str
    final: Tree
    first: Tree | None = None
    attempts: int = 0
    model: str = ""
    error: str = ""
    usage: Usage = Usage()
    seconds: float = 0.0


class Outcome(Shape, frozen=True):
    """A task that was done: a line of the journal.

    `failed` says why neither author nor judge could do their work; such a task is done again.
    """

    task: str
    difficulty: str = ""
    run_id: str = ""
    status: str = ""
    model: str = ""
    error: str = ""
    attempts: int = 0
    first: Verdict | None = None
    final: Verdict | None = None
    usage: Usage = Usage()
    seconds: float = 0.0
    judge_seconds: float = 0.0
    score: Score | None = None
    failed: str = ""
