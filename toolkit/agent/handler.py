"""Lambda's entry: an event in, a run done. Heavy imports happen once, when the function starts."""

import json
import logging
from typing import Any

import msgspec

from toolkit.agent.config import AgentConfig, Clients
from toolkit.agent.record import RunTable
from toolkit.agent.relay import Baton, refuse_forged
from toolkit.agent.run import execute
from toolkit.agent.store import Store
from toolkit.contracts import RUN_ID, AskRequest, HandedOver, RequestInBucket, RunResult, to_json
from toolkit.errors import PlatformError, UsageError
from toolkit.telemetry.logs import log_as, log_to_stdout

log_to_stdout()
log = logging.getLogger("toolkit.agent")
log.setLevel(logging.INFO)

_warm: dict[str, Any] = {}


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do the run that the event (a `contracts.AskRequest`, or a `RequestInBucket`) asks for, or the next part
    of one (`HandedOver`).

    Returns its id and status; status `skipped` where another delivery has it, `handed_over` where the next
    invocation goes on with it. Raises `UsageError` for an event of another shape, which sends it to the
    dead-letter queue.
    """
    try:
        named = msgspec.convert(event, _kind(event))
        to_json(named)  # the prompt may hold what is no Unicode
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        raise UsageError(f"not a request: {error}") from error
    if not RUN_ID.fullmatch(named.run_id):
        raise UsageError("not a request: the run id has a form that it cannot have")
    log_as(named.run_id)
    if "config" not in _warm:
        _warm["config"] = AgentConfig.from_environment()
        _warm["clients"] = Clients(_warm["config"].model_timeout_s)
    store = Store(_warm["clients"].s3, _warm["config"].runs_bucket, named.run_id)
    request, baton = _asked(store, named)
    token = named.baton_sha256 if isinstance(named, HandedOver) else ""
    remaining_s = context.get_remaining_time_in_millis() / 1000
    ended = execute(request, _warm["config"], _warm["clients"], remaining_s, baton, token)
    answer = {"run_id": request.run_id, "status": _status(ended)}
    log.info(json.dumps({**answer, "seconds": ended.seconds if isinstance(ended, RunResult) else 0}))
    return answer


def _kind(event: dict[str, Any]) -> type[AskRequest | RequestInBucket | HandedOver]:
    if "baton_sha256" in event:
        return HandedOver
    return RequestInBucket if "request_sha256" in event else AskRequest


def _status(ended: RunResult | HandedOver | None) -> str:
    if isinstance(ended, RunResult):
        return ended.status
    return "handed_over" if ended else "skipped"


def _asked(store: Store, named: AskRequest | RequestInBucket | HandedOver) -> tuple[AskRequest, Baton | None]:
    """The request that the event is or names, and where an earlier invocation has left it.

    Raises `PlatformError` and `UsageError`.
    """
    if isinstance(named, AskRequest):
        return named, None
    if isinstance(named, HandedOver):
        refuse_forged(_warm["clients"].kms, _warm["config"].statement_key, named)
        baton = _baton(store, named)
        return baton.request, baton
    return _fetched(store, named), None


def _baton(store: Store, named: HandedOver) -> Baton:
    """What was handed over. Where that cannot be read the run ends here, and its row says why."""
    try:
        return store.baton(named)
    except PlatformError as error:
        table = RunTable(_warm["clients"].dynamodb, _warm["config"].runs_table, named.run_id)
        if table.take_over(named.baton_sha256):
            table.finish("error", f"{error.message}; {error.hint}" if error.hint else error.message)
        raise


def _fetched(store: Store, named: RequestInBucket) -> AskRequest:
    """The request that was too large for the event. Raises `PlatformError` and `UsageError`."""
    try:
        request = msgspec.json.decode(store.request(named), type=AskRequest)
    except msgspec.MsgspecError as error:
        raise UsageError(f"not a request: {error}") from error
    if request.run_id != named.run_id:
        raise UsageError("not a request: the one in the bucket is of another run")
    return request
