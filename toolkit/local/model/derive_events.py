"""Values that follow from others, for schedules, events and alarms."""

import re
from collections.abc import Callable
from typing import NamedTuple

from toolkit.local.model.bounds import Values, number

_DAYS = {"mon": "MON", "tue": "TUE", "wed": "WED", "thu": "THU", "fri": "FRI", "sat": "SAT", "sun": "SUN"}
_PATTERNS = {
    "ec2": ("aws.ec2", "EC2 Instance State-change Notification", "state"),
    "codebuild": ("aws.codebuild", "CodeBuild Build State Change", "build-status"),
    "health": ("aws.health", "AWS Health Event", ""),
    "signin": ("aws.signin", "AWS Console Sign In via CloudTrail", ""),
}
_STATES = {
    "ec2": {"stop": "stopped", "terminat": "terminated", "running": "running", "start": "running"},
    "codebuild": {"fail": "FAILED", "stop": "STOPPED"},
}


def _event_rule(values: Values, notes: list[str]) -> Values:
    """A pattern where the prompt speaks of something that happens, else a schedule."""
    source = values["source"]
    if source in _PATTERNS:
        origin, detail, key = _PATTERNS[source]
        known = _STATES.get(source, {})
        states = [word for stem, word in known.items() if stem in values["states"].lower()]
        quoted = ", ".join(f'"{state}"' for state in dict.fromkeys(states))
        return {"pattern": "on", "pattern_source": origin, "pattern_type": detail, "pattern_key": f'"{key}"',
                "pattern_states": quoted, "schedule": "", "rule_text": detail}  # fmt: skip
    schedule = values["expression"] or _schedule(values)
    if not schedule:
        schedule = "rate(1 day)"
        notes.append("The rule fires once a day: the prompt says neither when nor upon what.")
    return {"pattern": "off", "schedule": schedule, "rule_text": f"Fires at {schedule}"}


def _schedule(values: Values) -> str:
    """The schedule as an expression: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html"""
    every, weekday = values["every"].lower(), values["weekday"].lower()
    minute, hour = _time(values["at"].lower())
    if weekday:
        several = {"weekday": "MON-FRI", "weekend": "SAT-SUN"}.get(weekday.rstrip("s"))
        days = several or _DAYS[weekday[:3]]
        return f"cron({minute} {hour} ? * {days} *)"
    counted = re.match(r"(\d+) (min|hour|day)", every)
    if counted:
        unit = {"min": "minute", "hour": "hour", "day": "day"}[counted[2]]
        return f"rate({int(counted[1])} {unit}{'' if counted[1] == '1' else 's'})"
    if every in ("month", "monthly"):
        return f"cron({minute} {hour} 1 * ? *)"
    if every in ("morning",) and not values["at"]:
        return "cron(0 8 * * ? *)"
    if every in ("night", "nightly", "morning") or values["at"]:
        return f"cron({minute} {hour} * * ? *)"
    rates = {"minute": "1 minute", "hour": "1 hour", "hourly": "1 hour", "day": "1 day", "daily": "1 day",
             "week": "7 days", "weekly": "7 days"}  # fmt: skip
    return f"rate({rates[every]})" if every in rates else ""


def _time(text: str) -> tuple[int, int]:
    """Minute and hour; midnight where no time is named."""
    match = re.match(r"(\d{1,2})(?::(\d\d))? ?(am|pm)?", text)
    if not match:
        return 0, 12 if text == "noon" else 0
    hour = int(match[1]) % 12 + 12 * (match[3] == "pm") if match[3] else int(match[1])
    return int(match[2] or 0) % 60, hour % 24


class Watched(NamedTuple):
    """What an alarm can watch: the namespace, its dimension, the export that fills it, the usual metric."""

    namespace: str
    dimension: str
    export: str
    metric: str


_WATCHED = {
    "machine": Watched("AWS/EC2", "InstanceId", "machine_id", "CPUUtilization"),
    "queue": Watched("AWS/SQS", "QueueName", "queue_name", "ApproximateNumberOfMessagesVisible"),
    "function": Watched("AWS/Lambda", "FunctionName", "function_id", "Errors"),
    "lb": Watched("AWS/ApplicationELB", "LoadBalancer", "lb_suffix", "HTTPCode_ELB_5XX_Count"),
    "aurora": Watched("AWS/RDS", "DBClusterIdentifier", "aurora_id", "CPUUtilization"),
    "database": Watched("AWS/RDS", "DBInstanceIdentifier", "database_id", "CPUUtilization"),
    "table": Watched("AWS/DynamoDB", "TableName", "table_id", "ThrottledRequests"),
}
_SUMS = {"Errors", "Throttles", "Invocations", "RequestCount", "ThrottledRequests", "NumberOfMessagesSent"}
_NAMESPACES = {"EstimatedCharges": "AWS/Billing", "ApproximateNumberOfMessagesVisible": "AWS/SQS"}
_DEFAULTS = {"CPUUtilization": "80", "Errors": "0", "StatusCheckFailed": "0", "EstimatedCharges": "100"}


def _metric_alarm(values: Values, notes: list[str]) -> Values:
    """Periods out of "for 10 minutes" and "3 periods of 5 minutes", in steps that CloudWatch takes."""
    period, count = number(values["period_seconds"]), number(values["periods"])
    duration = number(values["duration"])
    if duration and not (period and count):
        period = period or (duration // count if count else 300 if duration % 300 == 0 else 60)
        count = count or max(1, duration // max(period, 1))
    said = "on" if period else "off"
    period = max(60, (period or 300) // 60 * 60)
    if values["metric"] == "EstimatedCharges":
        notes.append("Billing metrics are in us-east-1 only, and must be switched on in the account.")
        period = 21600
    return {"period_seconds": str(period), "periods": str(count or 1), "period_seconds_said": said}


def _watch(values: Values) -> Values:
    """What the alarm watches, once it is known what there is."""
    found = next((w for slot, w in _WATCHED.items() if values.get(slot) == "on"), None)
    if values["instance"]:
        found, value = _WATCHED["machine"], f'"{values["instance"]}"'
    else:
        value = values.get(found.export, "") if found else ""
    metric = values["metric"] or (found.metric if found else "CPUUtilization")
    canonical = {m.lower(): m for m in (*_SUMS, *_DEFAULTS, *(w.metric for w in _WATCHED.values()))}
    metric = canonical.get(metric.lower(), metric)
    billing = metric == "EstimatedCharges"
    sums = metric in _SUMS or metric.startswith("HTTPCode_")
    dead = values["dead"] == "on" and metric.startswith("Approximate")
    if dead and "queue_dead_name" in values:
        value = values["queue_dead_name"]
    at_once = metric == "ApproximateNumberOfMessagesVisible" and (dead or values["soon"] == "on")
    quick = {} if values["period_seconds_said"] == "on" or not at_once else {"period_seconds": "60"}
    statistic = values["statistic"].capitalize() or (
        "Sum" if sums else "Maximum" if billing or at_once else "Average"
    )
    below = values["below"] == "on"
    named = values["named"] == "on"
    return {
        "name": values["name"] if named else _alarm_name(metric, values),
        "metric": metric,
        "threshold": values["threshold"] or _DEFAULTS.get(metric, "0"),
        "comparison": "LessThanThreshold" if below else "GreaterThanThreshold",
        "words": "below" if below else "over",
        "statistic": statistic,
        "namespace": _NAMESPACES.get(metric) or (found.namespace if found else "AWS/EC2"),
        "missing": "notBreaching" if sums or at_once else "missing",
        **quick,
        "dimension": "Currency" if billing else found.dimension if found else "",
        "dimension_value": '"USD"' if billing else value,
    }


def _alarm_name(metric: str, values: Values) -> str:
    """`cpu-utilization` for CPUUtilization, numbered as the label is."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_", "-", metric).lower()
    again = re.search(r"-(\d+)$", values["name"])
    return words + (again[0] if again else "")


MAKERS: dict[str, Callable[[Values, list[str]], Values]] = {
    "event_rule": _event_rule,
    "metric_alarm": _metric_alarm,
}
COMPLETED: dict[str, Callable[[Values], Values]] = {"metric_alarm": _watch}
