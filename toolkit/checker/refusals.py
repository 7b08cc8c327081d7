"""Judges what terraform says in a rehearsal: is this refused without the emulator as well?

Pure functions over the diagnostics of `terraform … -json`. A refusal is a claim about somebody's program, so
it is made only where one of these holds:

    terraform's core, at plan    the language itself was evaluated, with values that the program gives
    the provider, at plan        its own checks of arguments, no call to an API
    an API, at apply             a code with a text of `refusal_lists`, which speak of the value that was sent
    a name twice, at apply       and the plan shows the two (`reach.twins`): a call whose answer got lost is
                                 sent again, and ends as "already exists" too (seen on a busy machine)

Everything else is `unsupported`: never a finding and never a pass. What a look-up finds, what exists already
and what may be assumed is the account's, which nobody knows here. After the apply nothing is refused but what
`unsettled` tells: `prevent_destroy` and a bucket that is not empty are what somebody wanted.
"""

import re
from typing import Literal, NamedTuple, TypeAlias

from toolkit.checker.refusal_lists import (
    CHECKED,
    COMPUTED,
    CONFIGURED,
    CORE,
    DUPLICATE,
    EMULATORS_OWN,
    LATE_PROVIDER,
    SURROUNDINGS,
    UNKNOWN_COUNT,
    VALUES,
)
from toolkit.checker.settling import plain, unsettled

__all__ = ["ApiError", "Judged", "Step", "api_error", "judge", "unsettled"]

Step: TypeAlias = Literal["plan", "apply", "settle", "destroy"]


MAX_TEXT = 8_000
"""Characters of a diagnostic that are looked at; a program writes its own into some, of any length."""


class Judged(NamedTuple):
    """`code` is AWS's error code, empty where none was given; `why` is a few words for a reader."""

    kind: Literal["refused", "unsupported"]
    code: str
    why: str


class ApiError(NamedTuple):
    """An error of an AWS service in a diagnostic. `operation` is `Service: Operation`, empty where untold."""

    operation: str
    status: int
    code: str
    message: str


def judge(
    summary: str,
    detail: str,
    address: str,
    *,
    step: Step,
    guessed: bool,
    twin: bool = False,
) -> Judged:
    """Tell whether an error would be given without the emulator.

    `address` is the diagnostic's resource, empty where it has none. `guessed`: the values at this place can
    come of made-up variables or of a look-up (`reach.guessed`), so that the program may not be to blame.
    `twin`: the plan has another resource of this name (`reach.twins`).
    """
    text = f"{summary}\n{detail}"[:MAX_TEXT]
    error = api_error(text)
    code = error.code if error else ""
    if step in ("settle", "destroy"):
        return Judged("unsupported", code, "after the apply the emulator is seen, not AWS")
    if found := SURROUNDINGS.search(text):
        return Judged("unsupported", code, f"the rehearsal's own surroundings: {found[0].lower()}")
    if error:
        return _judge_api(error, address, step=step, guessed=guessed, twin=twin)
    return _judge_terraform(summary, text, address, step=step, guessed=guessed)


def api_error(text: str) -> ApiError | None:
    """The first AWS error in a diagnostic, of either generation of the Go SDK."""
    if found := _SDK_V2.search(text):
        code, _, message = found["rest"].removeprefix("api error ").partition(": ")
        if not re.fullmatch(r"[\w.]+", code):
            code, message = "", found["rest"]
        return ApiError(f"{found['service']}: {found['operation']}", int(found["status"] or 0), code, message)
    if found := _SDK_V1.search(text):
        return ApiError("", int(found["status"]), found["code"], found["message"])
    if found := _CODE_ALONE.search(text):
        return ApiError("", 0, found["code"], "")
    return None


# "creating X: operation error IAM: CreateRole, https response error StatusCode: 409, RequestID: …,
#  EntityAlreadyExists: …" for errors that the SDK has a type for, "…, api error CODE: …" for others.
_SDK_V2 = re.compile(
    r"operation error (?P<service>[^:,]+): (?P<operation>\w+),"
    r"(?: exceeded maximum number of attempts, \d+,)?"
    r"(?: https response error StatusCode: (?P<status>\d+), RequestID: [^,]*,(?: HostID: [^,]*,)?)?"
    r" *(?P<rest>[^\n]*)"
)
# "CODE: message\n\tstatus code: 400, request id: …"
_SDK_V1 = re.compile(
    r"(?<![A-Za-z0-9.])(?P<code>[A-Z][A-Za-z0-9]{1,99}(?:\.\w{1,50}){0,3}): (?P<message>[^\n]*)"
    r"\n\s*status code: (?P<status>\d+), request id:"
)
# "creating S3 Bucket (x): BucketAlreadyExists"
_CODE_ALONE = re.compile(r"\): (?P<code>BucketAlready\w+)$", re.MULTILINE)


def _judge_api(error: ApiError, address: str, *, step: Step, guessed: bool, twin: bool) -> Judged:
    def unsupported(why: str) -> Judged:
        return Judged("unsupported", error.code, why)

    if error.status >= 500 or not error.code:
        return unsupported("the emulator failed, or gave no error code of AWS")
    if is_data(address) or step != "apply":
        return unsupported("what a look-up finds depends on the account")
    if DUPLICATE.search(error.code):
        if twin:
            return Judged("refused", error.code, "two resources of the program have one name")
        return unsupported("whether it exists already depends on the account")
    if guessed:
        return unsupported("a value was made up or looked up here")
    if not EMULATORS_OWN.search(error.message) and _is_value(error):
        return Judged("refused", error.code, "AWS refuses this value as well")
    return unsupported("this error of the emulator is not known to be one of AWS")


def _is_value(error: ApiError) -> bool:
    return any(code.fullmatch(error.code) and text.search(error.message) for code, text in VALUES)


def _judge_terraform(summary: str, text: str, address: str, *, step: Step, guessed: bool) -> Judged:
    """An error without an API: of a provider's own checks, which have an address, or of terraform's core."""
    checked = Judged("refused", "", "the provider refuses this value, before any call")
    if step == "apply":
        if LATE_PROVIDER.search(summary) and not guessed:
            return checked
        return Judged("unsupported", "", "values at apply are the emulator's")
    if UNKNOWN_COUNT.search(text):
        return Judged("refused", "", "terraform must know this before it applies anything")
    if guessed:
        return Judged("unsupported", "", "a value was made up or looked up here")
    if not address and CORE.match(summary):
        return Judged("refused", "", "terraform cannot evaluate this")
    if _is_checked(address, summary):
        return checked
    if is_data(address):
        return Judged("unsupported", "", "what a look-up finds depends on the account")
    return Judged("unsupported", "", "not known to be the program's doing")


def _is_checked(address: str, summary: str) -> bool:
    """Whether it is a provider that speaks, and asks nobody."""
    if address.startswith("provider["):
        return bool(CONFIGURED.search(summary))
    if is_data(address):
        return data_type(address) in COMPUTED
    return bool(CHECKED.search(plain(address).removeprefix(_module(address))))


def _module(address: str) -> str:
    """The modules that an address begins with, keys left out: `module.a.module.b.`."""
    found = re.match(r"(?:module\.[\w-]+\.)+", plain(address))
    return found[0] if found else ""


def is_data(address: str) -> bool:
    """Whether an address is of a data source, in whatever module."""
    return bool(data_type(address))


def data_type(address: str) -> str:
    """The type of the data source at an address, empty for other resources."""
    inner = plain(address).removeprefix(_module(address))
    return inner.split(".")[1] if inner.startswith("data.") else ""
