"""Lambda's entry: an event in, a run done. Heavy imports happen once, when the function starts."""

import json
import logging
from typing import Any

import msgspec

from toolkit.agent.config import AgentConfig, Clients
from toolkit.agent.run import execute
from toolkit.contracts import RUN_ID, AskRequest, to_json
from toolkit.errors import UsageError
from toolkit.telemetry.logs import log_as, log_to_stdout

log_to_stdout()
log = logging.getLogger("toolkit.agent")
log.setLevel(logging.INFO)

_warm: dict[str, Any] = {}


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do the run that the event (a `contracts.AskRequest`) asks for.

    Returns its id and status; status `skipped` where another delivery has it. Raises `UsageError` for
    an event of another shape, which sends it to the dead-letter queue.
    """
    try:
        request = msgspec.convert(event, AskRequest)
        to_json(request)  # the prompt may hold what is no Unicode
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        raise UsageError(f"not a request: {error}") from error
    if not RUN_ID.fullmatch(request.run_id):
        raise UsageError("not a request: the run id has a form that it cannot have")
    log_as(request.run_id)
    if "config" not in _warm:
        _warm["config"] = AgentConfig.from_environment()
        _warm["clients"] = Clients(_warm["config"].model_timeout_s)
    remaining_s = context.get_remaining_time_in_millis() / 1000
    result = execute(request, _warm["config"], _warm["clients"], remaining_s)
    answer = {"run_id": request.run_id, "status": result.status if result else "skipped"}
    log.info(json.dumps({**answer, "seconds": result.seconds if result else 0}))
    return answer
