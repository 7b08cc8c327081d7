"""What a reader must check of a resource beyond its options: who comes in, who may do what, which subnets."""

import ipaddress
import re

from toolkit.local.model.links import Made


def details(made: Made, statements: str) -> list[str]:
    """A few lines on one resource; `statements` is what links let it do."""
    if made.recipe.kind == "security_group":
        return [f"in: {_incoming(made)}; out: {_outgoing(made)}"]
    if made.recipe.kind == "vpc":
        return _subnets(made.values)
    if made.recipe.kind == "iam_role":
        return _role(made.values, statements)
    if made.recipe.kind == "metric_alarm" and made.values["dimension"]:
        return [f"watches {made.values['dimension']} {made.values['dimension_value']}"]
    if made.recipe.kind == "sns_topic" and plain_topic(made, statements):
        return [
            "not encrypted: other services cannot send through AWS's own key; ask for a KMS key of its own"
        ]
    return []


def plain_topic(made: Made, statements: str) -> bool:
    """Whether a topic goes without encryption because another service sends to it and there is no key."""
    return bool(statements) and made.recipe.kind == "sns_topic" and made.values.get("key") != "on"


_SORTS = {"group": "group ", "lambda": "Lambda function ", "id": "group ", "lb": "load balancer "}


def _incoming(made: Made) -> str:
    """`tcp/22 from 203.0.113.0/24, tcp/5432 from group app-servers`."""
    rules = [rule.split(",") for rule in made.values["rules"].splitlines()]
    return ", ".join(f"tcp/{rule[0]} from {_source(rule[1], rule[2], made)}" for rule in rules) or "nothing"


def _source(kind: str, source: str, made: Made) -> str:
    """Where from, as a person says it."""
    if kind == "cidr":
        return "0.0.0.0/0 (everyone)" if source == "0.0.0.0/0" else source
    if kind in _SORTS:
        return _SORTS[kind] + (source or "made here")
    if kind == "internal" and made.values.get("vpc") == "on":
        return "the whole VPC (assumed: no source was named)"
    return "its own members" + (" (assumed: no source was named)" if kind == "internal" else "")


def _outgoing(made: Made) -> str:
    """`everything (assumed)`, or the ports."""
    rules = [rule.split(",") for rule in made.values["out_rules"].splitlines()]
    if rules:
        return ", ".join(f"tcp/{rule[0]} to {rule[2]}" for rule in rules)
    if made.values["egress"] != "on":
        return "nothing"
    return "everything" if "egress" in made.wish.asked else "everything (assumed)"


def _subnets(values: dict[str, str]) -> list[str]:
    """How many subnets of each sort, and their ranges, as Terraform's cidrsubnet cuts them."""
    network = ipaddress.ip_network(values["cidr"])
    public, private = int(values["public_count"]), int(values["private_count"])
    cuts = network.subnets(prefixlen_diff=int(values["newbits"]))
    ranges = [str(next(cuts)) for _ in range(public + private)]
    lines = (
        [f"public subnets: {public} ({', '.join(ranges[:public])})"] if public else ["public subnets: none"]
    )
    tail = (
        f"private subnets: {private} ({', '.join(ranges[public:])})" if private else "private subnets: none"
    )
    return [*lines, tail, f"availability zones: {values['zones']}"]


def _role(values: dict[str, str], statements: str) -> list[str]:
    """Who may assume the role, and its statements in one line each."""
    who = f"account {values['account']}" if values["account"] else f"{values['service']}.amazonaws.com"
    found = re.findall(r"actions\s*=\s*\[(.*?)\]\s*resources\s*=\s*\[(.*?)\]\n", statements, re.S)
    may = [f"may: {_words(actions)} on {_words(resources)}" for actions, resources in found]
    return [f"may be assumed by {who}", *(may or ["may do nothing yet: the prompt names nothing to reach"])]


def _words(listing: str) -> str:
    """The items of a list in Terraform, without their quotes."""
    items = [item.strip().strip('"') for item in listing.split(",")]
    return ", ".join(re.sub(r"\$\{(.*?)\}", r"\1", item) for item in items if item)
