"""What the function was told by its environment, and the clients that it uses: the one place for both."""

import os
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config

from toolkit.checker.remote import READ_TIMEOUT_S
from toolkit.checker.sandbox import UNSANDBOXED
from toolkit.contracts import Shape
from toolkit.errors import PlatformError

OTLP_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
"""A variable that is not ours: whoever knows OpenTelemetry knows it."""

FUNCTION = "AWS_LAMBDA_FUNCTION_NAME"
"""Lambda's own: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""


class AgentConfig(Shape, frozen=True, kw_only=True):
    """Names of the platform's parts; the variables are set by `stacks.agent`. `statement_key` is an ARN.

    `checker_function` is empty where there is none: the agent then checks in its own process, and without a
    sandbox only where `unsandboxed` says so. `validators` is a `checker.selection.Choice` as text. The daily
    budgets are US dollars; None is no limit. Spans also go to `otlp_endpoint`, with the headers that
    `otlp_headers_parameter` holds; an empty `metrics_namespace` sends no metrics. `function` is the agent's
    own name, which a long run is handed over to; empty outside Lambda. Mistral's key is in
    `mistral_key_parameter`, which is empty where the platform has none.
    """

    stack: str
    runs_table: str
    runs_bucket: str
    audit_bucket: str
    delivery_stream: str
    registry_parameter: str
    statement_key: str
    checker_function: str = ""
    validators: str = ""
    unsandboxed: bool = False
    model_timeout_s: float = 300.0
    daily_budget_usd: float | None = None
    caller_daily_budget_usd: float | None = None
    include_content: bool = True
    metrics_namespace: str = ""
    otlp_endpoint: str = ""
    otlp_headers_parameter: str = ""
    function: str = ""
    mistral_key_parameter: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "AgentConfig":
        """Read `TFKIT_*`. Raises `PlatformError` naming a variable that is missing."""
        environment = os.environ if environment is None else environment
        names = {field: f"TFKIT_{field.upper()}" for field in cls.__struct_fields__}
        values: dict[str, Any] = {f: environment[n] for f, n in names.items() if n in environment}
        numbers = ("model_timeout_s", "daily_budget_usd", "caller_daily_budget_usd")
        values |= {field: float(values[field]) for field in numbers if field in values}
        # Its mere presence counts, as in the sandbox and in the checker's function.
        values["unsandboxed"] = UNSANDBOXED in environment
        if "include_content" in values:
            values["include_content"] = values["include_content"] != "0"
        if OTLP_ENDPOINT in environment:
            values["otlp_endpoint"] = environment[OTLP_ENDPOINT]
        if FUNCTION in environment:
            values["function"] = environment[FUNCTION]
        told = ("include_content", "metrics_namespace", "otlp_endpoint", "otlp_headers_parameter")
        told += ("mistral_key_parameter",)
        optional = ("checker_function", "validators", "function", *numbers, *told)
        missing = [names[f] for f in names if f not in values and f not in optional]
        if missing:
            raise PlatformError(f"the function lacks {', '.join(missing)}", "run `tfkit up`")
        return cls(**values)


class Clients:
    """The boto3 clients of the agent, made on first use and kept while the function is warm."""

    def __init__(self, model_timeout_s: float = 300.0) -> None:
        self._model_timeout_s = model_timeout_s
        self._config = Config(
            retries={"mode": "standard", "max_attempts": 4}, connect_timeout=5, read_timeout=30
        )

    @cached_property
    def dynamodb(self) -> Any:
        """The runs table's service."""
        return boto3.client("dynamodb", config=self._config)

    @cached_property
    def s3(self) -> Any:
        """Where artifacts and fallback records go. A run that S3 refuses must yet come to its end."""
        emulated = os.environ.get("AWS_ENDPOINT_URL")
        path_style = Config(s3={"addressing_style": "path"}) if emulated else Config()
        brief = Config(retries={"mode": "standard", "total_max_attempts": 3})
        return boto3.client("s3", config=self._config.merge(brief).merge(path_style))

    @cached_property
    def firehose(self) -> Any:
        """Where records go. The sink makes the attempts, and a run has seconds to end in."""
        brief = Config(
            retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=2, read_timeout=5
        )
        return boto3.client("firehose", config=self._config.merge(brief))

    @cached_property
    def kms(self) -> Any:
        """What signs the statement of a run."""
        return boto3.client("kms", config=self._config)

    @cached_property
    def ssm(self) -> Any:
        """Where the registry of models is."""
        return boto3.client("ssm", config=self._config)

    @cached_property
    def secretsmanager(self) -> Any:
        """Where the headers for an OTLP endpoint may be."""
        return boto3.client("secretsmanager", config=self._config)

    @cached_property
    def cloudwatch(self) -> Any:
        """Where metrics go on the emulator. It has one attempt: nobody waits for metrics."""
        impatient = Config(
            retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=2, read_timeout=5
        )
        return boto3.client("cloudwatch", config=self._config.merge(impatient))

    @cached_property
    def bedrock(self) -> Any:
        """The models. A long answer takes minutes, so the read time-out is a setting of its own.

        Each request is reserved in the day's budget, so it is the hooks that send one again, not boto3.
        """
        patient = Config(
            read_timeout=self._model_timeout_s, retries={"mode": "standard", "total_max_attempts": 1}
        )
        return boto3.client("bedrock-runtime", config=self._config.merge(patient))

    @cached_property
    def successor(self) -> Any:
        """For the next invocation of the agent's own function. A call that is repeated might go in twice."""
        brief = Config(
            retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=2, read_timeout=5
        )
        return boto3.client("lambda", config=self._config.merge(brief))

    @cached_property
    def checker(self) -> Any:
        """For the checker's function, whose answer takes minutes; it repeats no call, see `RemoteChecker`.

        The connection is kept alive, because it is silent while a check runs:
        https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
        """
        waiting = Config(
            retries={"mode": "standard", "total_max_attempts": 1},
            read_timeout=READ_TIMEOUT_S,
            tcp_keepalive=True,
        )
        return boto3.client("lambda", config=self._config.merge(waiting))
