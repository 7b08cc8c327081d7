"""The shapes that cross a boundary: command line, Lambda, checker, program and engine, record and reader.

All are immutable `msgspec` structs: they import in milliseconds, encode themselves, and decoding a
document that does not fit raises `msgspec.ValidationError` with the path of what is wrong.
Seconds are floats, sizes are bytes, money is US dollars, times are RFC 3339 in UTC.
"""

import hashlib
import re
from collections.abc import Iterable
from typing import Literal, NamedTuple

import msgspec

Severity = Literal["info", "low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = ("info", "low", "medium", "high", "critical")

RunStatus = Literal["queued", "running", "ok", "not_converged", "budget_exceeded", "cancelled", "error"]
CheckStatus = Literal["ok", "findings", "error", "unsupported", "slow"]
ENDED: frozenset[RunStatus] = frozenset({"ok", "not_converged", "budget_exceeded", "cancelled", "error"})
"""How a run can end; in any other status it is under way."""

RehearseDepth = Literal["off", "plan", "apply"]

OUTCOME_METRICS: dict[RunStatus, str] = {
    "ok": "RunsOk",
    "not_converged": "RunsNotConverged",
    "budget_exceeded": "RunsBudgetExceeded",
    "cancelled": "RunsCancelled",
    "error": "RunsError",
}
"""The metric that counts the runs which ended so."""

RUN_METRICS: dict[str, str] = {
    "InputTokens": "Count",
    "OutputTokens": "Count",
    "CacheReadTokens": "Count",
    "CacheWriteTokens": "Count",
    "CostUsd": "None",
    "Turns": "Count",
    "ToolCalls": "Count",
    "Retries": "Count",
    "Attempts": "Count",
    "Duration": "Seconds",
    **dict.fromkeys(OUTCOME_METRICS.values(), "Count"),
}
"""What the agent tells CloudWatch of each run, with the unit; dashboards and alarms know no other."""

METRIC_DIMENSION = "Model"
"""The metrics are told apart by the registry's name of the model."""

WITHOUT_DIMENSION = (OUTCOME_METRICS["error"],)
"""Metrics that are also counted over all models, for an alarm."""


def metrics_namespace(prefix: str) -> str:
    """The CloudWatch namespace of a platform's metrics; two platforms in one account do not mix."""
    return f"tfkit/{prefix}"


MODEL_ERROR_PREFIX = "[[tfkit-model-error]] "
"""How the local model server says that the model behind it failed.

The emulator answers with a canned text of its own when its upstream fails, which would pass for a
model's answer; so the server always answers, and what went wrong stands behind this prefix."""

EMULATOR_MOCK = re.compile(r"^\[ministack mock \w+ .*\] reply for prompt#[0-9a-f]{8}$")
"""The emulator's own canned answer; a run that sees it has no model."""

RUN_ID = re.compile(r"^[0-9a-z][0-9a-z-]{7,47}$")


class Shape(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every shape of ours: immutable, by keyword, and strict about what it does not know."""


class Finding(Shape, frozen=True):
    """One thing a validator has to say. `line` counts from 1; 0 means the whole file or tree."""

    validator: str
    rule: str
    severity: Severity
    message: str
    file: str = ""
    line: int = 0
    hint: str = ""
    url: str = ""


class FileEntry(Shape, frozen=True):
    """A file of a result: path relative to the tree's root with `/`, content by hash and size."""

    path: str
    sha256: str
    bytes: int


def list_hash(entries: Iterable[FileEntry]) -> str:
    """The SHA-256 of a tree's list: a line a file, as `sha256sum` writes it, in the order of the entries."""
    outer = hashlib.sha256()
    for entry in entries:
        outer.update(f"{entry.sha256}  {entry.path}\n".encode("utf-8", "surrogateescape"))
    return outer.hexdigest()


class Tree(Shape, frozen=True):
    """The files of a workspace in memory: relative path with `/` → content.

    What is checked, stored and delivered is this value, so it is the same bytes by construction.
    """

    files: dict[str, bytes] = {}

    @property
    def hash(self) -> str:
        """`sha256:` over the sorted list of paths and content hashes; equal trees have equal hashes."""
        return "sha256:" + list_hash(self.entries)

    @property
    def entries(self) -> list[FileEntry]:
        """The files by path, in order."""
        return [
            FileEntry(path=path, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
            for path, content in sorted(self.files.items())
        ]


class Tool(Shape, frozen=True):
    """The executable or library behind a check."""

    name: str
    version: str


class CheckResult(Shape, frozen=True):
    """How one validator ended on one tree. `detail` says why for anything but `ok` and `findings`."""

    validator: str
    status: CheckStatus
    findings: list[Finding] = []
    seconds: float = 0.0
    tool: Tool | None = None
    detail: str = ""


class SkippedCheck(Shape, frozen=True):
    """A validator that did not run, and the reason."""

    validator: str
    reason: str


class ProviderUsed(Shape, frozen=True):
    """A provider as terraform's lock file names it; `hashes` are of its packages (`h1:…`, `zh:…`)."""

    source: str
    version: str
    hashes: list[str] = []


class CheckReport(Shape, frozen=True):
    """What a checker says of one tree (named by its hash).

    `providers` are those that init chose for it, none where init did not come to that.
    """

    tree: str
    results: list[CheckResult]
    skipped: list[SkippedCheck] = []
    sandbox: str = "none"
    providers: list[ProviderUsed] = []

    @property
    def clean(self) -> bool:
        """Whether nothing closes the gate: every result is `ok`, `unsupported` or `slow`."""
        return all(r.status in ("ok", "unsupported", "slow") for r in self.results)

    @property
    def findings(self) -> list[Finding]:
        """All findings, in the order of the results."""
        return [finding for result in self.results for finding in result.findings]


BUDGET_TURNS = 60
BUDGET_TOOL_CALLS = 200
BUDGET_TOKENS = 1_000_000
BUDGET_SECONDS = 600.0
"""What a run may consume unless somebody says otherwise, see `AskRequest`."""


class AskRequest(Shape, frozen=True):
    """What the client sends to the agent. `timeout_s` is the run's own deadline in seconds.

    `max_turns` counts requests to the model, `max_tool_calls` the calls of tools that it asks for,
    `max_tokens` those of input and output together: each over the whole run, follow-ups included.
    `start` is the `Tree.hash` of the user's own files that the workspace begins with, `attached` that of the
    images and texts that go with the prompt, by name; both lie packed in the runs bucket
    (`tables.start_key`, `tables.attached_key`), and empty means none.
    `conversation` is the id of the one that this run is a turn of (`toolkit.conversations`); with none,
    nothing is remembered. `follows` is the run whose files `start` is: they are the agent's own then, and not
    the user's.
    In a `chat` somebody reads each answer, and the model may end it.
    `replays` is the id of the run that this one does again (`toolkit.replay`). `temperature` and
    `answer_tokens` (the most tokens of one answer) are the model's own where they are None.
    """

    run_id: str
    prompt: str
    model: str = ""
    rehearse: RehearseDepth = "plan"
    max_followups: int = 3
    max_cost_usd: float | None = None
    timeout_s: float = BUDGET_SECONDS
    caller: str = ""
    max_turns: int = BUDGET_TURNS
    max_tool_calls: int = BUDGET_TOOL_CALLS
    max_tokens: int = BUDGET_TOKENS
    start: str = ""
    attached: str = ""
    replays: str = ""
    temperature: float | None = None
    answer_tokens: int | None = None
    conversation: str = ""
    follows: str = ""
    chat: bool = False

    @property
    def sha256(self) -> str:
        """Names the request: the same run id with another request is refused."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()


MAX_EVENT_BYTES = 200_000
"""A request above this travels through the runs bucket, by `RequestInBucket`. Lambda's own limit for an
asynchronous event was 256 KB for years: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


class RequestInBucket(Shape, frozen=True):
    """Stands for an `AskRequest` that lies at `tables.request_key`; `request_sha256` is its `sha256`."""

    run_id: str
    request_sha256: str


class HandedOver(Shape, frozen=True):
    """Stands for a run that goes on in another invocation: its baton lies at `tables.baton_key`.

    The baton's hash is the owner of the run's row meanwhile; the signature, in base64, is the agent's own.
    """

    run_id: str
    part: int
    baton_sha256: str
    signature: str = ""


class Usage(Shape, frozen=True):
    """What a run consumed. `cost_usd` is None where the model has no known price."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None


class Attempt(Shape, frozen=True):
    """One time that the gate was asked: the tree's hash and how each validator ended.

    `diff` is what changed since the attempt before (for the first: since the start), as a unified diff of
    bounded size that says where it was cut. `usage` and `seconds` are of this attempt alone, check included.
    The run's row has neither findings nor diff.
    """

    n: int
    tree: str
    validators: dict[str, CheckStatus]
    findings: list[Finding] = []
    diff: str = ""
    usage: Usage = Usage()
    seconds: float = 0.0


class RunResult(Shape, frozen=True):
    """The outcome of a run; stored as `runs/<run_id>/result.json` and printed by `ask --json`.

    `model_retries` counts the requests to the model that were throttled or broke off, and were sent again;
    `parts` the invocations of the function that the run took.
    `start` is the `Tree.hash` of what the run started from, and `diff` what it changed of that: a unified
    diff of bounded size that says where it was cut. Both are empty for a run that began with no files.
    `conversation` is the id of the one that it was a turn of, and `terminate` says that the model ended that.
    `replays` is the id of the run that this one did again. `models` are the registry's names of those that
    answered, in the order of their first answers: others than `model` where it had to fall back. The tokens
    that a prompt cache gave or took in are a part of `usage.input_tokens`.
    """

    run_id: str
    status: RunStatus
    model: str
    prompt: str
    output: str
    files: list[FileEntry] = []
    attempts: list[Attempt] = []
    usage: Usage = Usage()
    seconds: float = 0.0
    trace_id: str = ""
    error: str | None = None
    checks: list[CheckResult] = []
    skipped: list[SkippedCheck] = []
    not_proven: list[str] = []
    sandbox: str = "none"
    model_retries: int = 0
    parts: int = 1
    start: str = ""
    diff: str = ""
    replays: str = ""
    models: list[str] = []
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    conversation: str = ""
    terminate: bool = False


class RunRecord(Shape, frozen=True):
    """The row of a run in the table: who holds it, how far it is, how it ended.

    `cancel_requested` is when somebody asked for its end; the worker sees it within seconds. A run that
    was cancelled before a worker took it has no `request_sha256`.
    """

    run_id: str
    status: RunStatus
    request_sha256: str
    prompt: str
    model: str = ""
    caller: str = ""
    started: str = ""
    updated: str = ""
    owner: str = ""
    lease_until: int = 0
    step: str = ""
    attempt: int = 0
    attempts: list[Attempt] = []
    error: str | None = None
    cancel_requested: str = ""
    conversation: str = ""

    @property
    def ended(self) -> bool:
        """Whether the last word on it is written."""
        return self.status in ENDED

    def lost(self, now: float) -> bool:
        """Whether its lease ran out by `now` (seconds since 1970): who held it died in the middle."""
        return 0 < self.lease_until < now


class TraceSummary(Shape, frozen=True):
    """A run as a row of `tfkit traces`. `start` is RFC 3339, `spans` the number of spans."""

    run_id: str
    trace_id: str
    start: str
    seconds: float
    status: str
    model: str
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    tool_calls: int
    spans: int


class Price(Shape, frozen=True):
    """US dollars per million tokens. What is None costs what input costs.

    `cache_read` and `cache_write` are of input tokens that a prompt cache gave, or took in.
    """

    input: float
    output: float
    cache_read: float | None = None
    cache_write: float | None = None


AttachmentKind = Literal["text", "image"]
ModelProvider = Literal["bedrock", "mistral"]


class ModelEntry(Shape, frozen=True, omit_defaults=True):
    """A model of the registry, as its service knows it.

    `id` is the foundation model on Bedrock, or Mistral's name of it; `profile` is the ARN of an inference
    profile; `endpoint` is another address of Mistral's API (without `/v1`), which is sent no key; empty for
    Mistral's own. `max_tokens` bounds one answer; 0 leaves it to the model. Long answers are streamed.
    `output_limit` is the most that can be asked of it instead; 0 means `max_tokens`. A `temperature` of None
    is not sent, for models that refuse one. `caches` has the service keep what the turns of a run have in
    common. `fallbacks` are names of the registry, which answer in this order where this one cannot be used.
    `price` is None where none is known to the registry; genai-prices is asked then. `takes` says what may be
    attached to a prompt: texts, images, or nothing. A parameter of SSM has room for 4,096 characters, hence
    what is as usual is left out there.
    """

    provider: ModelProvider
    id: str
    profile: str = ""
    context: int = 200_000
    max_tokens: int = 8_192
    price: Price | None = None
    takes: tuple[AttachmentKind, ...] = ("text",)
    endpoint: str = ""
    output_limit: int = 0
    temperature: float | None = 0.0
    caches: bool = False
    fallbacks: tuple[str, ...] = ()


class Registry(Shape, frozen=True, omit_defaults=True):
    """The value of the registry parameter: which models there are, and which one is meant by default.

    `made` are the names that the last `up` put there by itself; the others are the user's own, and the next
    `up` keeps them. `chosen` says that the default is the user's choice, which it keeps too.
    """

    default: str
    models: dict[str, ModelEntry]
    made: tuple[str, ...] = ()
    chosen: bool = False


GEOGRAPHIES = frozenset({"apac", "au", "ca", "eu", "global", "jp", "us", "us-gov"})
"""What a system inference profile's id starts with, before the model's own id:
https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html"""

HAIKU = "anthropic.claude-haiku-4-5-20251001-v1:0"


MISTRAL_MODELS = {
    "mistral-large": ModelEntry(
        provider="mistral",
        id="mistral-large-2512",
        context=262_144,
        max_tokens=16_384,
        takes=("text", "image"),
    ),
    "devstral-small": ModelEntry(
        provider="mistral", id="devstral-small-latest", context=128_000, max_tokens=16_384
    ),
}
"""Mistral's models, with the windows and prices that genai-prices knows; each needs a key of Mistral's.
https://docs.mistral.ai/getting-started/models/models_overview/"""


def default_registry(region: str) -> Registry:
    """The models that a platform on AWS starts with, by the profile of the region's geography.

    Requests stay within the United States or the European Union for a platform there, and go anywhere for
    the others; who wants it otherwise names another id.
    """
    near = region.split("-")[0]
    geography = near if near in ("us", "eu") and not region.startswith("us-gov") else "global"
    haiku = ModelEntry(
        provider="bedrock",
        id=f"{geography}.{HAIKU}",
        max_tokens=16_384,
        output_limit=64_000,
        caches=True,
        takes=("text", "image"),
    )
    return made_registry("haiku", {"haiku": haiku, **MISTRAL_MODELS})


def made_registry(default: str, models: dict[str, ModelEntry]) -> Registry:
    """A registry of models that all come from `up` itself."""
    return Registry(default=default, models=models, made=tuple(models))


class PlatformConfig(Shape, frozen=True):
    """Everything that the Pulumi program needs to know; made by `deploy`, plain data without a secret.

    `prefix` starts every physical name. `agent_zip` is the source of the function's handler on the
    local target; on AWS it is empty and the function is a container image.

    What may be brought along: `kms_key_arn`, a key of the user's (its policy must let CloudWatch Logs and
    alarms use it, see `stacks.foundation.key_policy`); `log_bucket`, a bucket for S3's access logs (its
    policy must let S3 write there); `role_path`, which starts and ends with a slash; `checker_subnet_ids`
    with `checker_security_group_ids`. A `checker_handler` names the entry of the checker function, which
    is not made without one. `reserved_concurrency` -1 reserves nothing. An `alarm_` number is what its
    metric reaches, in five minutes, to be an alarm (`alarm_freshness_s` must be passed).
    """

    stack: str
    account: str
    region: str
    partition: str
    prefix: str
    version: str
    registry: Registry
    tags: dict[str, str] = {}
    agent_zip: dict[str, str] = {}
    agent_runtime: str = "python3.11"
    agent_memory_mb: int = 3008
    agent_timeout_s: int = 900
    agent_storage_mb: int = 4096
    agent_environment: dict[str, str] = {}
    log_retention_days: int = 30
    lock_mode: Literal["GOVERNANCE", "COMPLIANCE"] = "GOVERNANCE"
    lock_days: int = 7
    runs_expire_days: int = 90
    daily_token_limit: int = 1_000_000
    email: str = ""
    permissions_boundary: str = ""
    force_destroy: bool = False
    role_path: str = ""
    kms_key_arn: str = ""
    log_bucket: str = ""
    reserved_concurrency: int = -1
    checker_handler: str = ""
    checker_timeout_s: int = 300
    checker_subnet_ids: list[str] = []
    checker_security_group_ids: list[str] = []
    otlp_headers_parameter: str = ""
    alarm_errors: int = 3
    alarm_throttles: int = 1
    alarm_dead_letters: int = 1
    alarm_freshness_s: int = 900

    @property
    def all_tags(self) -> dict[str, str]:
        """The tags of every resource: the user's own, then ours, which cannot be overridden."""
        return {**self.tags, "tfkit:stack": self.stack, "tfkit:version": self.version}


class StackOutputs(Shape, frozen=True):
    """What a platform exports; the only thing that the client needs to know of it.

    What is not part of a platform is empty: `checker_function` without a checker, `build_project` where
    the function is no container image. `policies` are the ARNs of the ready policies (user, auditor,
    operator), `alarms` and `dashboards` the names by what they are about. `digest_key_arn` is the key that
    signs the digests of the audit records, `lock_mode` and `lock_days` are the retention of new ones;
    `statement_key_arn` is the key that signs what runs claim.
    """

    version: str
    function_name: str
    function_arn: str
    agent_role_arn: str
    runs_bucket: str
    audit_bucket: str
    runs_table: str
    delivery_stream: str
    registry_parameter: str
    kms_key_arn: str
    repository_url: str
    topic_arn: str
    dead_letter_queue_url: str
    log_group: str
    dashboard: str
    token_alarm: str
    profiles: dict[str, str]
    checker_function: str = ""
    build_project: str = ""
    glue_database: str = ""
    glue_table: str = ""
    alarms: dict[str, str] = {}
    dashboards: dict[str, str] = {}
    policies: dict[str, str] = {}
    digest_function: str = ""
    digest_key_arn: str = ""
    statement_key_arn: str = ""
    lock_mode: str = ""
    lock_days: int = 0


class ResourceEvent(NamedTuple):
    """One step of an engine, as it starts and as it ends.

    `operation` is create, update, replace, delete, same, read or refresh; `state` is started, done or failed.
    """

    urn: str
    type: str
    name: str
    operation: str
    state: str
    seconds: float = 0.0
    error: str = ""


class Changes(Shape, frozen=True):
    """How many custom resources an operation touches, by kind."""

    create: int = 0
    update: int = 0
    replace: int = 0
    delete: int = 0
    same: int = 0


def to_json(value: object) -> bytes:
    """A shape, or plain data, as compact JSON."""
    return msgspec.json.encode(value)
