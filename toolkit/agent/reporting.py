"""How a run is told of outside: its records always, its spans by OTLP and its numbers where that is set."""

import logging
import os
from functools import lru_cache, partial
from typing import Any

from toolkit.agent.config import AgentConfig, Clients
from toolkit.contracts import RunResult
from toolkit.telemetry.export import Exporter, OtlpExport, otlp_http, parse_headers
from toolkit.telemetry.metrics import Meter, numbers
from toolkit.telemetry.run import Carried, RunTelemetry
from toolkit.telemetry.sink import Sink

log = logging.getLogger(__name__)

SECRET = "secretsmanager"  # noqa: S105 - the service's name in an ARN


def open_telemetry(
    run_id: str, config: AgentConfig, clients: Clients, sink: Sink, carried: Carried | None = None
) -> RunTelemetry:
    """The telemetry of a run, or of the part of it that goes on, with whatever else gets its spans."""
    return RunTelemetry(
        run_id,
        config.stack,
        sink,
        carried,
        include_content=config.include_content,
        also=_export(config, clients),
        background=True,
    )


def report(
    config: AgentConfig, clients: Clients, telemetry: RunTelemetry, model: str, run: RunResult
) -> None:
    """Tell of a run whose last word is written. `model` is the registry's name. Never raises."""
    try:
        _measure(config, clients, telemetry, model, run)
        drain(config, clients)
    except Exception:
        log.exception("run %s ended as its record says, and could not be reported", run.run_id)


def drain(config: AgentConfig, clients: Clients) -> None:
    """Wait a little for the spans that are on their way elsewhere."""
    if export := _export(config, clients):
        export.drain()
        if export.lost:
            log.warning("%d spans were not exported since this function started", export.lost)


def _measure(
    config: AgentConfig, clients: Clients, telemetry: RunTelemetry, model: str, run: RunResult
) -> None:
    if not config.metrics_namespace:
        return
    values = numbers(
        telemetry.counts,
        run.status,
        seconds=run.seconds,
        attempts=len(run.attempts),
        cost_usd=run.usage.cost_usd,
    )
    Meter(config.metrics_namespace, _cloudwatch(clients)).emit(run.run_id, model, values)


def _cloudwatch(clients: Clients) -> Any:
    """The client for PutMetricData: on the emulator, where no metrics are made of the log."""
    return clients.cloudwatch if os.environ.get("AWS_ENDPOINT_URL") else None


def _export(config: AgentConfig, clients: Clients) -> OtlpExport | None:
    if not config.otlp_endpoint:
        return None
    return _warm_export(config.otlp_endpoint, config.otlp_headers_parameter, config.include_content, clients)


@lru_cache(maxsize=1)
def _warm_export(endpoint: str, parameter: str, include_content: bool, clients: Clients) -> OtlpExport:
    """One for the process: a warm function keeps its thread, its connection and its headers."""
    return OtlpExport(partial(_connect, endpoint, parameter, clients), include_content)


def _connect(endpoint: str, parameter: str, clients: Clients) -> Exporter:
    return otlp_http(endpoint, parse_headers(_secret(clients, parameter)) if parameter else {})


def _secret(clients: Clients, parameter: str) -> str:
    """The text of a parameter (its name or ARN), or of a secret in Secrets Manager (its ARN)."""
    if parameter.startswith("arn:") and parameter.split(":")[2] == SECRET:
        return str(clients.secretsmanager.get_secret_value(SecretId=parameter)["SecretString"])
    return str(clients.ssm.get_parameter(Name=parameter, WithDecryption=True)["Parameter"]["Value"])
