"""What the function was told by its environment, and the clients that it uses: the one place for both."""

import os
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config

from toolkit.contracts import Shape
from toolkit.errors import PlatformError


class AgentConfig(Shape, frozen=True, kw_only=True):
    """Names of the platform's parts; the variables are set by `stacks.agent`."""

    stack: str
    runs_table: str
    runs_bucket: str
    audit_bucket: str
    delivery_stream: str
    registry_parameter: str
    model_timeout_s: float = 300.0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "AgentConfig":
        """Read `TFKIT_*`. Raises `PlatformError` naming a variable that is missing."""
        environment = os.environ if environment is None else environment
        names = {field: f"TFKIT_{field.upper()}" for field in cls.__struct_fields__}
        values: dict[str, Any] = {f: environment[n] for f, n in names.items() if n in environment}
        if "model_timeout_s" in values:
            values["model_timeout_s"] = float(values["model_timeout_s"])
        missing = [names[f] for f in names if f not in values and f != "model_timeout_s"]
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
        """Where artifacts and fallback records go."""
        emulated = os.environ.get("AWS_ENDPOINT_URL")
        path_style = Config(s3={"addressing_style": "path"}) if emulated else Config()
        return boto3.client("s3", config=self._config.merge(path_style))

    @cached_property
    def firehose(self) -> Any:
        """Where records go."""
        return boto3.client("firehose", config=self._config)

    @cached_property
    def ssm(self) -> Any:
        """Where the registry of models is."""
        return boto3.client("ssm", config=self._config)

    @cached_property
    def bedrock(self) -> Any:
        """The models. A long answer takes minutes, so the read time-out is a setting of its own."""
        patient = Config(read_timeout=self._model_timeout_s)
        return boto3.client("bedrock-runtime", config=self._config.merge(patient))
