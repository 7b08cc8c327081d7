"""How the parts of a platform that is up are: what `status` asks. None changes anything."""

import functools
from datetime import UTC, datetime, timedelta

from toolkit.client import Client
from toolkit.cloud import Cloud
from toolkit.contracts import StackOutputs
from toolkit.deploy import brake
from toolkit.deploy.checks.bedrock import agreement
from toolkit.deploy.checks.check import Check, Checks

LAST_DAYS = 7
UNCONFIRMED = "PendingConfirmation"


def parts(cloud: Cloud, outputs: StackOutputs) -> Checks:
    """The checks of a deployed platform, in the order in which they are shown."""
    return {
        part.__name__: functools.partial(part, cloud, outputs)
        for part in (agent, model, last_run, alarms, email, dead_letters)
    }


def agent(cloud: Cloud, outputs: StackOutputs) -> Check:
    """Whether the function can run, and whether the brake is on."""
    client = cloud.client("lambda")
    function = client.get_function(FunctionName=outputs.function_name)["Configuration"]
    state = function.get("State", "Active")
    if state != "Active":
        why = function.get("StateReason", "no reason given")
        return Check("agent", state == "Pending", f"{state}: {why}", "tfkit up")
    if brake.pulled(cloud, outputs.function_name):
        return Check("agent", False, "stopped: it takes no new runs", "tfkit up")
    return Check("agent", True, f"{outputs.function_name} is ready")


def model(cloud: Cloud, outputs: StackOutputs) -> Check:
    """Whether the account may use the default model. Asks no model: that is `models check`'s."""
    registry = Client(cloud, outputs).registry()
    entry = registry.models[registry.default]
    if cloud.target == "local":
        return Check("model", True, f"{registry.default}, through the emulator's Bedrock")
    if entry.provider != "bedrock":
        return Check("model", True, f"{registry.default} of {entry.provider}; ask it: tfkit models check")
    agreed = agreement(cloud, registry.default, entry)
    return Check("model", agreed.ok, agreed.detail, agreed.fix)


def last_run(cloud: Cloud, outputs: StackOutputs) -> Check:
    """How the newest run of the last days ended."""
    today = datetime.now(UTC).date()
    days = [(today - timedelta(days=back)).isoformat() for back in range(LAST_DAYS)]
    newest = next(iter(Client(cloud, outputs).runs(days)), None)
    if newest is None:
        return Check("last_run", True, f"none in the last {LAST_DAYS} days")
    detail = f"{newest.run_id} of {newest.started[:16].replace('T', ' ')}: {newest.status}"
    fix = f"tfkit runs show {newest.run_id}" if newest.status == "error" else ""
    return Check("last_run", not fix, detail, fix)


def alarms(cloud: Cloud, outputs: StackOutputs) -> Check:
    """The states of the platform's alarms."""
    if not outputs.alarms:
        return Check("alarms", False, "the platform has none", "tfkit up")
    found = cloud.client("cloudwatch").describe_alarms(AlarmNames=sorted(outputs.alarms.values()))
    states = {alarm["AlarmName"]: alarm["StateValue"] for alarm in found["MetricAlarms"]}
    gone = sorted(set(outputs.alarms.values()) - set(states))
    ringing = sorted(name for name, state in states.items() if state == "ALARM")
    if gone:
        return Check("alarms", False, f"missing: {', '.join(gone)}", "tfkit up")
    if ringing:
        return Check(
            "alarms", False, f"ALARM: {', '.join(ringing)}", f"see the dashboard {outputs.dashboard}"
        )
    quiet = sum(state == "OK" for state in states.values())
    return Check("alarms", True, f"{len(states)}: {quiet} OK, {len(states) - quiet} without data yet")


def email(cloud: Cloud, outputs: StackOutputs) -> Check:
    """Whether somebody hears of an alarm. AWS sends nothing to an address that is not confirmed."""
    answer = cloud.client("sns").list_subscriptions_by_topic(TopicArn=outputs.topic_arn)
    subscriptions = answer["Subscriptions"]
    waiting = [each["Endpoint"] for each in subscriptions if each["SubscriptionArn"] == UNCONFIRMED]
    if waiting:
        fix = f"open the link in the mail that AWS sent to {waiting[0]}"
        return Check("email", False, f"not confirmed: {', '.join(waiting)}", fix)
    if not subscriptions:
        return Check("email", True, "no address is set, so nobody is told of alarms")
    return Check("email", True, ", ".join(each["Endpoint"] for each in subscriptions))


def dead_letters(cloud: Cloud, outputs: StackOutputs) -> Check:
    """Requests that the function could not take."""
    answer = cloud.client("sqs").get_queue_attributes(
        QueueUrl=outputs.dead_letter_queue_url, AttributeNames=["ApproximateNumberOfMessages"]
    )
    count = int(answer["Attributes"]["ApproximateNumberOfMessages"])
    if count:
        fix = f"read them in the queue {outputs.dead_letter_queue_url}, or wait: they go after 14 days"
        return Check("dead_letters", False, f"{count} requests could not be taken", fix)
    return Check("dead_letters", True, "none")
