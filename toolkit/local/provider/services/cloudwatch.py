"""CloudWatch dashboards and metric alarms."""

import json
from typing import Any

from botocore.exceptions import ClientError
from typing_extensions import override

from toolkit.local.provider.errors import gone_is_fine, is_gone, there
from toolkit.local.provider.kind import Call, Kind
from toolkit.local.provider.names import camel, pascal
from toolkit.local.provider.tags import from_list, settle, to_list
from toolkit.local.provider.wire import Props

MARK = "tfkit:urn"
"""A key in the body of a dashboard: the emulator keeps no tags of dashboards, so the body says whose it is.

It is the provider's own, and taken out again before a program or a comparison sees the body.
"""


class Dashboard(Kind):
    """A dashboard; the id is its name."""

    type_name = "aws:cloudwatch/dashboard:Dashboard"
    takes = "dashboardName!+ dashboardBody!"
    gives = "dashboardArn"

    @override
    def find(self, call: Call, inputs: Props) -> str | None:
        return inputs["dashboardName"] if _body(call, inputs["dashboardName"]) is not None else None

    @override
    def ours(self, call: Call, id_: str, inputs: Props) -> bool:
        return (_body(call, id_) or {}).get(MARK) == call.urn

    @override
    def create(self, call: Call, inputs: Props) -> str:
        self.update(call, inputs["dashboardName"], inputs)
        return str(inputs["dashboardName"])

    @override
    def read(self, call: Call, id_: str, props: Props) -> Props | None:
        body = _body(call, id_)
        if body is None:
            return None
        body.pop(MARK, None)
        at = call.clients
        return {
            "dashboardName": id_,
            "dashboardBody": json.dumps(body),
            "dashboardArn": f"arn:{at.partition}:cloudwatch::{at.account}:dashboard/{id_}",
        }

    @override
    def update(self, call: Call, id_: str, inputs: Props) -> None:
        body = {**json.loads(inputs["dashboardBody"]), MARK: call.urn}
        call.aws("cloudwatch").put_dashboard(DashboardName=id_, DashboardBody=json.dumps(body))

    @override
    def delete(self, call: Call, id_: str, props: Props) -> None:
        with gone_is_fine():
            call.aws("cloudwatch").delete_dashboards(DashboardNames=[id_])


class MetricAlarm(Kind):
    """An alarm over a metric or over metric maths; the id is its name."""

    type_name = "aws:cloudwatch/metricAlarm:MetricAlarm"
    takes = """
        name!+ comparisonOperator! evaluationPeriods! threshold alarmDescription treatMissingData
        datapointsToAlarm metricName namespace period statistic unit dimensions actionsEnabled
        alarmActions okActions insufficientDataActions tags metricQueries[
            id! expression label period returnData
            metric{metricName! namespace period! stat! unit dimensions}
        ]
    """
    gives = "arn"

    @override
    def find(self, call: Call, inputs: Props) -> str | None:
        return inputs["name"] if _alarm(call, inputs["name"]) else None

    @override
    def tags(self, call: Call, id_: str) -> dict[str, str]:
        arn = there(_alarm(call, id_))["AlarmArn"]
        return from_list(call.aws("cloudwatch").list_tags_for_resource(ResourceARN=arn)["Tags"])

    @override
    def create(self, call: Call, inputs: Props) -> str:
        tags = to_list(inputs.get("tags", {}))
        call.aws("cloudwatch").put_metric_alarm(**_alarm_given(inputs), **({"Tags": tags} if tags else {}))
        return str(inputs["name"])

    @override
    def read(self, call: Call, id_: str, props: Props) -> Props | None:
        alarm = _alarm(call, id_)
        if alarm is None:
            return None
        live = {name: alarm.get(pascal_name) for name, pascal_name in _SAME.items()}
        # The emulator takes metric maths and forgets it: what it does not report is taken as asked for.
        queries = (
            {"metricQueries": [_query_found(query) for query in alarm["Metrics"]]}
            if alarm.get("Metrics")
            else {}
        )
        return {
            **{name: value for name, value in live.items() if value is not None},
            **queries,
            "name": id_,
            "alarmDescription": alarm.get("AlarmDescription", ""),
            "okActions": alarm.get("OKActions", []),
            "dimensions": _dimensions(alarm.get("Dimensions", [])),
            "tags": self.tags(call, id_),
            "arn": alarm["AlarmArn"],
        }

    @override
    def update(self, call: Call, id_: str, inputs: Props) -> None:
        cloudwatch = call.aws("cloudwatch")
        cloudwatch.put_metric_alarm(**_alarm_given(inputs))
        arn = there(_alarm(call, id_))["AlarmArn"]
        settle(
            inputs.get("tags", {}),
            self.tags(call, id_),
            lambda tags: cloudwatch.tag_resource(ResourceARN=arn, Tags=to_list(tags)),
            lambda names: cloudwatch.untag_resource(ResourceARN=arn, TagKeys=names),
        )

    @override
    def delete(self, call: Call, id_: str, props: Props) -> None:
        with gone_is_fine():
            call.aws("cloudwatch").delete_alarms(AlarmNames=[id_])


_SAME = {
    name: name[0].upper() + name[1:]
    for name in [
        "comparisonOperator",
        "evaluationPeriods",
        "threshold",
        "treatMissingData",
        "datapointsToAlarm",
        "metricName",
        "namespace",
        "period",
        "statistic",
        "unit",
        "actionsEnabled",
        "alarmActions",
        "insufficientDataActions",
    ]
}
"""The properties of an alarm that CloudWatch has under the same name."""


def _body(call: Call, name: str) -> dict[str, Any] | None:
    try:
        text = call.aws("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"]
    except ClientError as error:
        if is_gone(error):
            return None
        raise
    body: dict[str, Any] = json.loads(text)
    return body


def _alarm(call: Call, name: str) -> dict[str, Any] | None:
    found: list[dict[str, Any]] = call.aws("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return found[0] if found else None


def _alarm_given(inputs: Props) -> dict[str, Any]:
    given = {theirs: inputs[ours] for ours, theirs in _SAME.items() if ours in inputs}
    given |= {"AlarmName": inputs["name"], "AlarmDescription": inputs.get("alarmDescription", "")}
    given |= {"OKActions": inputs.get("okActions", [])}
    if inputs.get("dimensions"):
        given["Dimensions"] = to_list(inputs["dimensions"], "Name", "Value")
    if inputs.get("metricQueries"):
        given["Metrics"] = [_query_given(query) for query in inputs["metricQueries"]]
    return given


def _query_given(query: Props) -> dict[str, Any]:
    given: dict[str, Any] = pascal({name: value for name, value in query.items() if name != "metric"}, {})
    if metric := query.get("metric"):
        named = {
            "MetricName": metric["metricName"],
            "Dimensions": to_list(metric.get("dimensions", {}), "Name"),
        }
        if metric.get("namespace"):
            named["Namespace"] = metric["namespace"]
        stat = {name: metric[name] for name in ("period", "stat", "unit") if name in metric}
        given["MetricStat"] = {"Metric": named, **pascal(stat)}
    return given


def _query_found(query: dict[str, Any]) -> Props:
    found: Props = camel({name: value for name, value in query.items() if name != "MetricStat"}, {})
    if stat := query.get("MetricStat"):
        named = stat["Metric"]
        found["metric"] = {
            **camel({name: value for name, value in stat.items() if name != "Metric"}),
            **camel({name: value for name, value in named.items() if name != "Dimensions"}),
            "dimensions": _dimensions(named.get("Dimensions", [])),
        }
    return found


def _dimensions(pairs: list[dict[str, str]]) -> dict[str, str]:
    return from_list(pairs, "Name", "Value")


KINDS: tuple[Kind, ...] = (Dashboard(), MetricAlarm())
