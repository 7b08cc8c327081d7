"""Which subnets a network gets where the prompt speaks of one sort only."""

from toolkit.local.model.wish import Wish


def cut(wishes: list[Wish]) -> list[Wish]:
    """The wishes with no public subnets where only private ones are named, and the other way round."""
    return [_vpc(wish, wishes) if wish.kind == "vpc" else wish for wish in wishes]


def _vpc(vpc: Wish, wishes: list[Wish]) -> Wish:
    """A network without the sort of subnets that nobody asked for and nothing in it needs."""
    options = dict(vpc.options)
    asked = vpc.asked & {"public_count", "private_count"}
    outside = any(w.options.get("public") == "on" for w in wishes) or "on" in (
        options["nat"],
        options["nat_each"],
    )
    inside = any(
        w.kind == "rds_instance"
        or (w.kind == "lambda_function" and w.options["in_vpc"] == "on")
        or (w.kind == "ec2_instance" and w.options["public"] != "on")
        for w in wishes
    )
    if asked == {"private_count"} and not outside:
        options["public_count"] = "0"
    if asked == {"public_count"} and not inside and options["public_count"] != "off":
        options["private_count"] = "0"
    if "private_count" in asked and options["private_count"] == "1" and _database(wishes):
        options["private_count"] = "2"
    return vpc._replace(options=options)


def _database(wishes: list[Wish]) -> bool:
    """Whether there is a database: its subnet group takes no fewer than two zones."""
    return any(w.kind == "rds_instance" for w in wishes)
