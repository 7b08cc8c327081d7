"""Which subnets a network gets where the prompt speaks of one sort only."""

from toolkit.local.model.wish import Wish

_ZONED = {"rds_instance", "aurora_cluster", "db_subnet_group", "eks_cluster", "msk_cluster"}
"""Kinds that take no fewer than two zones; three brokers of MSK take three."""
_INSIDE = _ZONED | {"elasticache", "redshift_cluster", "efs_file_system"}


def cut(wishes: list[Wish]) -> list[Wish]:
    """The wishes with no public subnets where only private ones are named, and the other way round."""
    return [_vpc(wish, wishes) if wish.kind == "vpc" else wish for wish in wishes]


def _vpc(vpc: Wish, wishes: list[Wish]) -> Wish:
    """A network without the sort of subnets that nobody asked for and nothing in it needs."""
    options = dict(vpc.options)
    asked = vpc.asked & {"public_count", "private_count"}
    kinds = {w.kind for w in wishes}
    if _nodes(wishes) and "nat" not in vpc.asked:
        options["nat"] = "on"
    balancers = [w for w in wishes if w.kind == "load_balancer"]
    balanced = any(w.options["internal"] != "on" for w in balancers)
    outside = (
        balanced
        or any(w.options.get("public") == "on" for w in wishes)
        or "on" in (options["nat"], options["nat_each"])
    )
    inside = any(
        w.kind in _INSIDE
        or (w.kind == "load_balancer" and w.options["internal"] == "on")
        or (w.kind == "lambda_function" and w.options["in_vpc"] == "on")
        or (w.kind == "ec2_instance" and w.options["public"] != "on")
        for w in wishes
    )
    if asked == {"private_count"} and not outside:
        options["public_count"] = "0"
    if asked == {"public_count"} and not inside and options["public_count"] != "off":
        options["private_count"] = "0"
    if "zones" in vpc.asked and options["zones"].isdecimal():
        for count in ("public_count", "private_count"):
            if count not in vpc.asked - vpc.guessed and options[count] not in ("0", "off"):
                options[count] = options["zones"]
    zones = "3" if any(w.options.get("brokers") in ("", "3", "6", "9") for w in wishes) else "2"
    if options["private_count"].isdecimal() and kinds & _ZONED and int(options["private_count"]) < int(zones):
        options["private_count"] = zones
    if balanced and options["public_count"] in ("1", "off"):
        options["public_count"] = "2"
    return vpc._replace(options=options)


def _nodes(wishes: list[Wish]) -> bool:
    """Whether there are nodes of EKS: from private subnets they join through a NAT gateway only."""
    return any(w.kind == "eks_cluster" and w.options["nodes"] == "on" for w in wishes)
