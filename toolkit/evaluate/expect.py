"""Holds the expectations of a task against a plan, as `terraform show -json` prints it.

https://developer.hashicorp.com/terraform/internals/json-format, "Plan Representation"
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import jmespath
import msgspec
from jmespath.exceptions import JMESPathError

from toolkit.checker.selection import Selection, counting
from toolkit.contracts import CheckReport
from toolkit.evaluate.task import Expected, Met, Wanted

Plan = dict[str, Any]

_SHOWN = 200


def met_by_plan(expected: Expected, plan: Plan) -> list[Met]:
    """Each expectation on the plan, in the order of the task."""
    planned = list(_planned(plan))
    counts = Counter(change["type"] for change in planned)
    found = [
        Met(what=f"{kind}: {least} or more", met=counts[kind] >= least, detail=f"{counts[kind]} planned")
        for kind, least in expected.resources.items()
    ]
    found += [
        Met(what=f"{kind}: none", met=not counts[kind], detail=f"{counts[kind]} planned")
        for kind in expected.absent
    ]
    found += [_attribute(wanted, planned) for wanted in expected.attributes]
    found += [_query(query, plan) for query in expected.jmespath]
    return [msgspec.structs.replace(one, detail="") if one.met else one for one in found]


def met_by_report(expected: Expected, report: CheckReport) -> list[Met]:
    """Whether the validators that have to be clean are, each at its usual threshold."""
    selection = Selection(names=tuple(result.validator for result in report.results))
    results = {result.validator: result for result in report.results}
    found = []
    for name in expected.clean:
        result = results.get(name)
        counted = counting(result, selection) if result else []
        clean = result is not None and result.status in ("ok", "findings") and not counted
        why = (
            counted[0].message
            if counted
            else (result.detail or result.status)
            if result
            else "it did not run"
        )
        found.append(Met(what=f"{name} is clean", met=clean, detail="" if clean else why[:_SHOWN]))
    return found


def _planned(plan: Plan) -> Iterator[dict[str, Any]]:
    """The managed resources that are there after the plan."""
    for change in plan.get("resource_changes", ()):
        if change.get("mode") == "managed" and change["change"]["actions"] != ["delete"]:
            yield change


def _attribute(wanted: Wanted, planned: list[dict[str, Any]]) -> Met:
    changes = [change["change"] for change in planned if change["type"] == wanted.resource]
    seen = [_value(wanted.path, change.get("after")) for change in changes]
    unknown = [_value(wanted.path, change.get("after_unknown")) for change in changes]
    met = any(_fits(wanted, value, later) for value, later in zip(seen, unknown, strict=True))
    return Met(what=_words(wanted), met=met, detail=f"found {_short(seen)}" if seen else "none is planned")


def _fits(wanted: Wanted, value: Any, unknown: Any) -> bool:
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else _number(value)
    checks = [
        wanted.equals is msgspec.UNSET or _same(value, wanted.equals),
        wanted.one_of is None or any(_same(value, one) for one in wanted.one_of),
        wanted.at_least is None or (number is not None and number >= wanted.at_least),
        wanted.at_most is None or (number is not None and number <= wanted.at_most),
        wanted.matches is None or (isinstance(value, str) and re.search(wanted.matches, value) is not None),
        wanted.present is None or wanted.present == (_filled(value) or _says_true(unknown)),
    ]
    return all(checks)


def _same(value: Any, wanted: Any) -> bool:
    """Equal as terraform sees it: the provider writes some numbers and truths as texts, `true` is no 1."""
    if isinstance(value, str) and isinstance(wanted, bool | int | float):
        return value == msgspec.json.encode(wanted).decode()
    plain = not isinstance(value, bool) and not isinstance(wanted, bool)
    alike = type(value) is type(wanted) or (plain and isinstance(value, int | float))
    return alike and bool(value == wanted)


def _number(value: Any) -> float | None:
    try:
        return float(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _filled(value: Any) -> bool:
    return value not in (None, "", [], {})


def _says_true(unknown: Any) -> bool:
    """Whether anything below is known after apply only."""
    if isinstance(unknown, dict):
        return any(map(_says_true, unknown.values()))
    return any(map(_says_true, unknown)) if isinstance(unknown, list) else unknown is True


def _value(path: str, document: Any) -> Any:
    try:
        return jmespath.search(path, document)
    except JMESPathError:  # a function that got another type than it takes
        return None


def _query(query: str, plan: Plan) -> Met:
    try:
        found = jmespath.search(query, plan)
    except JMESPathError as error:
        return Met(what=query, met=False, detail=str(error)[:_SHOWN])
    return Met(what=query, met=_filled(found) and found is not False, detail=f"found {_short(found)}")


def _words(wanted: Wanted) -> str:
    said = msgspec.to_builtins(wanted)
    limits = {k: v for k, v in said.items() if k not in ("resource", "path") and v is not None}
    told = ", ".join(f"{name.replace('_', ' ')} {_short(value)}" for name, value in limits.items())
    return f"{wanted.resource}.{wanted.path}: {told}"


def _short(value: Any) -> str:
    return msgspec.json.encode(value).decode()[:_SHOWN]
