"""Values that follow from others, for load balancers, names, APIs and permissions."""

import re
from collections.abc import Callable

from toolkit.local.model.bounds import Values, identifier, number, retention

_SERVICE_ROLES = {
    "AWSLambdaBasicExecutionRole",
    "AWSLambdaVPCAccessExecutionRole",
    "AWSLambdaSQSQueueExecutionRole",
    "AWSLambdaDynamoDBExecutionRole",
    "AWSLambdaKinesisExecutionRole",
    "AmazonECSTaskExecutionRolePolicy",
    "AmazonRDSEnhancedMonitoringRole",
    "AWSGlueServiceRole",
    "AmazonEC2RoleforSSM",
    "AWSCodeDeployRole",
    "AmazonEBSCSIDriverPolicy",
    "AmazonAPIGatewayPushToCloudWatchLogs",
}
"""Managed policies that lie under `service-role/`: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/"""
_JOB_FUNCTIONS = {"ViewOnlyAccess", "Billing", "DatabaseAdministrator", "NetworkAdministrator"}


def managed_policies(values: Values, _notes: list[str] | None = None) -> Values:
    """The managed policies as ARNs, a line each."""
    arns = []
    for name in values["managed"].splitlines():
        folder = "service-role/" if name in _SERVICE_ROLES else ""
        folder = "job-function/" if name in _JOB_FUNCTIONS else folder
        arns.append(f"arn:aws:iam::aws:policy/{folder}{name}")
    return {"policies": "\n".join(dict.fromkeys(arns))}


def _load_balancer(values: Values, notes: list[str]) -> Values:
    """Ports and protocols that go together, and a name that ELB takes."""
    network, https = values["type"] == "network", values["https"] == "on"
    port = values["port"] if number(values["port"]) else "443" if https else "80"
    redirect = "on" if https and not network else "off"
    if https and not network:
        port = port if port != "80" else "443"
        notes.append("HTTPS needs a certificate: give its ARN in the variable.")
    if number(values["target_groups"]) > 1:
        notes.append(f"One target group is made, not {values['target_groups']}: add the others, and rules.")
    target = values["target_port"] or (port if network else "80")
    return {
        "lb_name": identifier(values["name"], 32),
        "port": port,
        "protocol": ("TLS" if https else "TCP") if network else "HTTPS" if https else "HTTP",
        "target_port": target,
        "target_protocol": "TCP" if network else "HTTP",
        "target_type": "ip" if values["ip"] else "instance",
        "redirect": redirect,
    }


def _route53_zone(values: Values, notes: list[str]) -> Values:
    """The domain: what the prompt names as such, or the name that it gives."""
    domain = values["domain"] or values["parent"]
    domain = domain or (values["name"] if values["named"] == "on" else "example.internal")
    if not (values["domain"] or values["parent"]) and values["named"] != "on":
        notes.append(f"The zone is {domain}: the prompt names no domain.")
    return {"domain": domain.lower().rstrip(".")}


_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}$")


def _record(values: Values) -> Values:
    """The record's type and value: an alias for a load balancer, an address or a name for all else."""
    value = values["value"]
    type_ = values["type"].upper() or ("A" if _ADDRESS.match(value) or not value else "CNAME")
    alias = values.get("lb") == "on" and not value
    missing = not value and not alias
    if type_ == "TXT" and value:
        value = value.strip('"')
    return {
        "record_name": values["record"] or values["name"],
        "type": "A" if alias else type_,
        "value": value,
        "alias": "on" if alias else "off",
        "no_value": "on" if missing else "off",
        "needs_value": "on" if missing and values.get("machine") != "on" else "off",
    }


def _profile(values: Values) -> Values:
    """The profile is called like the role that exists, where it has no name of its own."""
    role = values.get("role_id", "").strip('"')
    return {"profile_name": values["name"] if values["named"] == "on" or "." in role or not role else role}


_PRINCIPALS = {
    "apigateway": "apigateway", "s3": "s3", "sns": "sns", "eventbridge": "events", "cloudwatch": "events",
    "cloudwatchevents": "events", "cloudwatchevent": "events", "cloudwatchlogs": "logs", "config": "config",
    "cognito": "cognito-idp", "alexa": "alexa-appkit", "ses": "ses", "iot": "iot",
}  # fmt: skip


def _lambda_permission(values: Values, notes: list[str]) -> Values:
    """The service that may call, by its principal."""
    said = re.sub(r"[\s-]", "", values["principal"].lower())
    if not said:
        notes.append("EventBridge may call the function: the prompt names no service.")
    service = said.removesuffix(".amazonaws.com")
    principal = f"{_PRINCIPALS.get(said, service or 'events')}.amazonaws.com"
    stem = principal.partition(".")[0].title().replace("-", "")
    return {"principal_name": principal, "statement": f"Allow{stem}Invoke"}


def _http_api(values: Values, notes: list[str]) -> Values:
    """Routes with a label each; all requests go one way where the prompt names none."""
    routes = [route.strip() for route in values["routes"].splitlines() if route.strip()]
    routes = [_route(route) for route in routes] or ["$default"]
    labels = [re.sub(r"[^a-z0-9]+", "_", route.lower()).strip("_") or "root" for route in routes]
    lines = [f"{route},{label}" for route, label in zip(routes, labels, strict=True)]
    return {
        "routes": "\n".join(dict.fromkeys(lines)),
        "stage_name": values["stage"] or ("live" if values["websocket"] == "on" else "$default"),
        "throttle": values["throttle"] if number(values["throttle"]) else "100",
        "log_days": retention(values["log_days"], notes),
    }


def _route(route: str) -> str:
    """The method in capitals, the path as it is."""
    method, blank, path = route.partition(" ")
    return f"{method.upper()} {path}" if blank else route


MAKERS: dict[str, Callable[[Values, list[str]], Values]] = {
    "load_balancer": _load_balancer,
    "route53_zone": _route53_zone,
    "policy_attachment": managed_policies,
    "lambda_permission": _lambda_permission,
    "http_api": _http_api,
}
COMPLETED: dict[str, Callable[[Values], Values]] = {"route53_record": _record, "instance_profile": _profile}
