"""The statement of a run, made when its gate is open and signed by the platform's key."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from toolkit.agent.config import AgentConfig
from toolkit.contracts import CheckReport, RunResult
from toolkit.errors import PlatformError
from toolkit.statement import make, sign
from toolkit.tables import now


def signed_statement(
    kms: Any, config: AgentConfig, caller: str, result: RunResult, report: CheckReport | None
) -> bytes:
    """The signed envelope of a run that is `ok` so far; `report` is the gate's last word.

    Raises `PlatformError` where the key refuses: a run that cannot be signed is not `ok`.
    """
    statement = make(result, config.stack, caller, now(), report.providers if report else [])
    try:
        return sign(kms, config.statement_key, statement)
    except (ClientError, BotoCoreError) as error:
        raise PlatformError(
            f"the statement of the run cannot be signed: {error}", "bring the key back with: tfkit up"
        ) from error
