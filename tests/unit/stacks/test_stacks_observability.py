"""Dashboards and alarms: nothing is shown or watched that nothing emits. And the table over the records."""

import json

import msgspec
import pytest
from stacks_world import HAIKU, IMAGE, SONNET, make_config

from stacks.audit import DAY_PREFIX
from stacks.catalog import COLUMNS, PARTITIONS
from stacks.metrics import OURS, dimension, emitted
from toolkit.contracts import RUN_METRICS, WITHOUT_DIMENSION, Price, Registry
from toolkit.telemetry.record import NEW_CHAIN, Chain, Draft

DASHBOARDS = ("models", "lambda", "insights", "cost")
EMITTED = emitted(make_config())
OUR_OWN = "tfkit/tfkit-dev"


def widgets(deployed, what):
    body = json.loads(deployed.one("Dashboard", f"{what}-dashboard").inputs["dashboardBody"])
    return [each for each in body["widgets"] if each["type"] == "metric"]


def texts(deployed, what):
    body = json.loads(deployed.one("Dashboard", f"{what}-dashboard").inputs["dashboardBody"])
    return [each["properties"]["markdown"] for each in body["widgets"] if each["type"] == "text"]


def shown(deployed, what):
    """The metrics of a dashboard, as namespace, name, dimension, value."""
    return {
        tuple(line[:4])
        for widget in widgets(deployed, what)
        for line in widget["properties"]["metrics"]
        if len(line) > 1
    }


def priced():
    haiku = msgspec.structs.replace(HAIKU, price=Price(input=1.0, output=5.0))
    return Registry(default="haiku", models={"haiku": haiku, "sonnet": SONNET})


def test_four_dashboards_each_with_its_name(deployed):
    assert deployed.exports["dashboards"] == {what: f"tfkit-dev-{what}" for what in DASHBOARDS}
    assert deployed.exports["dashboard"] == "tfkit-dev-models"


@pytest.mark.parametrize("what", DASHBOARDS)
def test_every_widget_shows_what_something_emits(runner, what):
    metrics = shown(runner(registry=priced(), checker_handler="index.check"), what)
    assert metrics
    for namespace, name, by, value in metrics:
        assert name in EMITTED[namespace], (namespace, name)
        assert by == dimension(namespace)
        assert value


def test_our_own_metrics_are_shown_by_model_and_none_is_left_out(deployed):
    ours = {(name, value) for namespace, name, _, value in shown(deployed, "models") if namespace == OUR_OWN}
    assert ours == {(name, model) for name in RUN_METRICS for model in ("haiku", "sonnet")}


def test_every_alarm_watches_what_something_emits(deployed):
    watched = {
        (made.inputs["namespace"], made.inputs["metricName"])
        for made in deployed.all("MetricAlarm")
        if "metricName" in made.inputs
    }
    assert watched == {
        ("AWS/Lambda", "Errors"),
        ("AWS/Lambda", "Throttles"),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
        ("AWS/Firehose", "DeliveryToS3.DataFreshness"),
        (OUR_OWN, "RunsError"),
    }
    assert all(name in EMITTED[namespace] for namespace, name in watched)


WATCHED = ("errors", "failed-runs", "throttles", "dead-letters", "digests", "freshness")


def test_every_alarm_tells_the_topic_and_stays_quiet_without_data(deployed):
    assert deployed.exports["alarms"] == {what: f"tfkit-dev-{what}" for what in ("daily-tokens", *WATCHED)}
    for alarm in deployed.all("MetricAlarm"):
        assert alarm.inputs["alarmActions"] == [deployed.exports["topic_arn"]]
        assert alarm.inputs["treatMissingData"] == "notBreaching"
        assert alarm.inputs["evaluationPeriods"] == 1
    assert deployed.exports["token_alarm"] == "tfkit-dev-daily-tokens"


def test_an_alarm_over_all_models_watches_what_is_counted_without_one(deployed):
    (ours,) = [made.inputs for made in deployed.all("MetricAlarm") if made.inputs.get("namespace") == OUR_OWN]
    assert "dimensions" not in ours
    assert ours["metricName"] in WITHOUT_DIMENSION
    assert ours["metricName"] in OURS


def test_the_thresholds_are_settings(runner):
    made = runner(alarm_errors=7, alarm_throttles=8, alarm_dead_letters=9, alarm_freshness_s=1000)
    found = {each.name: each.inputs for each in made.all("MetricAlarm")}
    assert {name: found[f"{name}-alarm"]["threshold"] for name in ("errors", "throttles")} == {
        "errors": 7,
        "throttles": 8,
    }
    assert found["dead-letters-alarm"]["threshold"] == 9
    assert found["freshness-alarm"]["threshold"] == 1000
    assert found["errors-alarm"]["dimensions"] == {"FunctionName": "tfkit-dev-agent"}
    assert found["dead-letters-alarm"]["dimensions"] == {"QueueName": "tfkit-dev-dead-letters"}
    assert found["freshness-alarm"]["dimensions"] == {"DeliveryStreamName": "tfkit-dev-audit"}
    assert found["errors-alarm"]["comparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert found["freshness-alarm"]["comparisonOperator"] == "GreaterThanThreshold"


def test_one_threshold_changes_one_resource(runner, deployed):
    def told(made):
        return {each.name: {k: v for k, v in each.inputs.items() if k != "code"} for each in made.resources}

    before, after = told(deployed), told(runner(daily_token_limit=5))
    assert [name for name in before if before[name] != after[name]] == ["token-alarm"]


def test_the_lambda_dashboard_has_the_percentiles(deployed):
    (duration,) = [each for each in widgets(deployed, "lambda") if each["properties"]["title"] == "Duration"]
    assert [line[4]["stat"] for line in duration["properties"]["metrics"]] == ["p50", "p99"]
    assert {name for _, name, _, _ in shown(deployed, "lambda")} == EMITTED["AWS/Lambda"]


def test_the_insights_say_so_where_the_extension_is_absent(runner, deployed):
    assert "container image only" in texts(deployed, "insights")[0]
    assert texts(runner(**IMAGE), "insights") == []


def test_cost_is_tokens_times_the_known_prices(runner):
    made = runner(registry=priced())
    day = widgets(made, "cost")[0]["properties"]
    (expression,) = [line[0] for line in day["metrics"] if len(line) == 1]
    assert expression["expression"] == (
        "FILL(m0_inputtokencount, 0) * 1.0 / 1000000 + FILL(m0_outputtokencount, 0) * 5.0 / 1000000"
    )
    hidden = {line[4]["id"]: line[4] for line in day["metrics"] if len(line) > 1}
    assert set(hidden) == {"m0_inputtokencount", "m0_outputtokencount"}
    assert {(each["visible"], each["stat"], each["period"]) for each in hidden.values()} == {
        (False, "Sum", 86_400)
    }
    assert "No price is known to the registry for: sonnet." in texts(made, "cost")[0]


def test_without_a_price_there_are_tokens_and_no_dollars(deployed):
    (tokens,) = widgets(deployed, "cost")
    assert tokens["properties"]["title"] == "Tokens a day"
    assert "haiku, sonnet" in texts(deployed, "cost")[0]


def test_widgets_do_not_overlap(deployed):
    for what in DASHBOARDS:
        body = json.loads(deployed.one("Dashboard", f"{what}-dashboard").inputs["dashboardBody"])
        places = [(each["x"], each["y"]) for each in body["widgets"]]
        assert len(set(places)) == len(places)
        assert {each["width"] for each in body["widgets"]} == {12}


def test_the_table_has_the_fields_of_a_record(deployed):
    table = deployed.one("CatalogTable").inputs
    record = Chain("run", b"{}", NEW_CHAIN).seal(Draft(), last=True)
    assert list(COLUMNS) == [name.lower() for name in json.loads(record.body)]
    columns = table["storageDescriptor"]["columns"]
    assert {each["name"]: each["type"] for each in columns} == COLUMNS
    serde = table["storageDescriptor"]["serDeInfo"]
    assert serde["serializationLibrary"] == "org.openx.data.jsonserde.JsonSerDe"
    assert deployed.exports["glue_database"] == "tfkit_dev"
    assert deployed.exports["glue_table"] == "records"


def test_the_tables_partitions_are_the_streams_days(deployed):
    table = deployed.one("CatalogTable").inputs
    assert tuple(each["name"] for each in table["partitionKeys"]) == PARTITIONS
    template = table["parameters"]["storage.location.template"]
    bucket = deployed.exports["audit_bucket"]
    days = DAY_PREFIX.replace("!{timestamp:yyyy}", "${year}").replace("!{timestamp:MM}", "${month}")
    assert template == f"s3://{bucket}/" + days.replace("!{timestamp:dd}", "${day}")
    assert table["parameters"]["projection.enabled"] == "true"
    for name in PARTITIONS:
        assert table["parameters"][f"projection.{name}.type"] == "integer"
    assert table["parameters"]["projection.month.digits"] == "2"
