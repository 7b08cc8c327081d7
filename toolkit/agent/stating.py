"""The statement of a run, made when its gate is open and signed by the platform's key."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from toolkit.agent.config import AgentConfig
from toolkit.contracts import CheckReport, RunResult, Tree
from toolkit.errors import PlatformError
from toolkit.statement import make, sign
from toolkit.tables import now


def signed_statement(
    kms: Any, config: AgentConfig, caller: str, result: RunResult, report: CheckReport | None, brought: Tree
) -> bytes:
    """The signed envelope of a run that is `ok` so far; `report` is the gate's last word.

    `brought` are the user's own files, which may lie among others that nobody was given.

    Raises `PlatformError` where the key refuses: a run that cannot be signed is not `ok`.
    """
    providers = report.providers if report else []
    statement = make(result, config.stack, caller, now(), providers, brought.hash if brought.files else "")
    try:
        return sign(kms, config.statement_key, statement)
    except (ClientError, BotoCoreError) as error:
        raise PlatformError(
            f"the statement of the run cannot be signed: {error}", "bring the key back with: tfkit up"
        ) from error
