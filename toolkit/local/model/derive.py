"""Values that a recipe needs and that follow from others: a few per kind, registered here by its name."""

import ipaddress
from collections.abc import Callable

from toolkit.local.model import derive_data, derive_events, derive_web
from toolkit.local.model.bounds import Values, bounded, number, retention
from toolkit.local.model.naming import bucket_name


def derive(kind: str, values: Values, notes: list[str]) -> Values:
    """The further values for an instance; what had to be changed is told in `notes`."""
    stem = values["name"].removesuffix(".fifo")
    common = {"stem": stem, "camel": "".join(part.capitalize() for part in values["label"].split("_"))}
    common["env"] = values["label"].upper()
    maker = _MAKERS.get(kind)
    return {**common, **(maker({**values, **common}, notes) if maker else {})}


def complete(kind: str, values: Values) -> Values:
    """The values that follow from what an instance is wired to, which is known once all are there."""
    maker = _COMPLETED.get(kind)
    return maker(values) if maker else {}


def _s3_bucket(values: Values, notes: list[str]) -> Values:
    """A bucket's name in the letters that S3 takes."""
    name = bucket_name(values["name"])
    if name != values["name"]:
        notes.append(f"The bucket is named {name}: S3 does not take {values['name']}.")
    return {"name": name if values["named"] == "on" else name[:36].rstrip("-.")}


def _sqs_queue(values: Values, notes: list[str]) -> Values:
    """A FIFO queue by its name; one that is a dead-letter queue by its name has none of its own."""
    if values["stem"].endswith(("-dlq", "_dlq", "dead-letter")) and values.get("dlq_asked") != "on":
        values = {**values, "dlq": "off"}
    fifo = "on" if values["name"].endswith(".fifo") else values["fifo"]
    name = values["stem"] + ".fifo" if fifo == "on" else values["name"]
    bounds = bounded(values, notes, visibility_seconds=(0, 43200), delay_seconds=(0, 900),
            retention_seconds=(60, 1209600), max_receive=(1, 1000))  # fmt: skip
    dead = f"aws_sqs_queue.{values['label']}{'' if values['dlq'] == 'off' else '_dlq'}.name"
    return {"fifo": fifo, "name": name, "dead_name": dead, "dlq": values["dlq"], **bounds} | (
        {"max_receive": ""} if values["dlq"] == "off" else {}
    )


def _sns_topic(values: Values, _notes: list[str]) -> Values:
    """A FIFO topic by its name."""
    return {"fifo": "on" if values["name"].endswith(".fifo") else values["fifo"]}


def _dynamodb_table(values: Values, notes: list[str]) -> Values:
    """A table's name has three characters at least."""
    name = values["name"] if len(values["name"]) >= 3 else f"{values['name']}-table"
    if name != values["name"]:
        notes.append(f"The table is named {name}: DynamoDB takes no name shorter than three characters.")
    without = [
        o
        for o, needs in (("ttl_attribute", "ttl"), ("range_type", "range_key"))
        if values[needs] in ("", "off")
    ]
    index = values["index_name"] or f"{values['index']}-index"
    provisioned = values["read_capacity"] != "0" and values["write_capacity"] != "0"
    return {"name": name, "index_label": index, **dict.fromkeys(without, "")} | (
        {"on_demand": "off"} if provisioned else {}
    )


def _kms_key(values: Values, notes: list[str]) -> Values:
    """The alias without its prefix, and a waiting period that KMS takes."""
    bounds = bounded(values, notes, deletion_days=(7, 30))
    if values["rotation_days"] not in ("0", "off"):
        bounds |= bounded(values, notes, rotation_days=(90, 2560))
    return {"alias_name": values["name"].removeprefix("alias/"), **bounds}


def _lambda_function(values: Values, notes: list[str]) -> Values:
    """The language of the runtime, a size and time that Lambda takes."""
    language = values["runtime"].rstrip("0123456789.x")
    bounds = bounded(values, notes, memory_mb=(128, 10240), timeout_seconds=(1, 900))
    return {"language": language, **bounds, "log_days": retention(values["log_days"], notes)}


def _log_group(values: Values, notes: list[str]) -> Values:
    """A retention that CloudWatch knows."""
    return {"retention_days": retention(values["retention_days"], notes)}


def _iam_role(values: Values, _notes: list[str]) -> Values:
    """The service's name as IAM spells it, and the managed policies by their ARNs."""
    return {"service": values["service"].lower(), **derive_web.managed_policies(values)}


def _vpc(values: Values, notes: list[str]) -> Values:
    """How the network is cut into subnets, and how many NAT gateways there are."""
    public, private = number(values["public_count"]), number(values["private_count"])
    try:
        network = ipaddress.ip_network(values["cidr"], strict=False)
    except ValueError:
        notes.append(f"{values['cidr']} is no network; 10.0.0.0/16 stands in its place.")
        network = ipaddress.ip_network("10.0.0.0/16")
    bits = max(8 if network.prefixlen <= 16 else 1, (public + private - 1).bit_length())
    zones = str(max(1, min(number(values["zones"]) or max(public, private), 6)))
    nats = public if values["nat_each"] == "on" else 1
    return {
        "cidr": str(network),
        "newbits": str(bits),
        "zones": zones,
        "private_offset": str(public),
        "nat": "on" if "on" in (values["nat"], values["nat_each"]) else "off",
        "nat_count": str(nats),
        "public_tier": "public" if public else "private",
        "private_tier": "private" if private else "public",
        "public_count": str(public),
        "private_count": str(private),
    }


def _security_group(values: Values, notes: list[str]) -> Values:
    """Each rule as `port,sort of source,source,key`: the key is the port, numbered where it comes again."""
    rules: dict[str, list[str]] = {"": [], "out": []}
    ports: list[str] = []
    given = dict.fromkeys(values["rules"].splitlines())
    sourced = {rule.partition(",")[0] for rule in given if not rule.endswith(",internal")}
    for rule in given:
        side = "out" if rule.startswith("out,") else ""
        port, _, source = rule.removeprefix("out,").partition(",")
        if (source == "internal" and port in sourced and not side) or not 1 <= int(port) <= 65535:
            continue
        if side and source == "internal":
            source = "0.0.0.0/0"
        if source == "internal" and not sourced and port in ("80", "443"):
            source = "0.0.0.0/0"
            notes.append(f"Port {port} is open to everyone: the prompt names no source for it.")
        sort, colon, name = source.partition(":")
        sort, name = (sort, name) if colon or not source[0].isdigit() else ("cidr", source)
        ports.append(side + port)
        again = ports.count(side + port)
        rules[side].append(f"{port},{sort},{name},{port}" + (f"_{again}" if again > 1 else ""))
    there = values["existing"]
    egress = "off" if rules["out"] or there else values["egress"]
    reference = f'"{there}"' if there else f"aws_security_group.{values['label']}.id"
    lines = {"rules": "\n".join(rules[""]), "out_rules": "\n".join(rules["out"])}
    return {"group_ref": reference, **lines, "egress": egress}


def _ec2_instance(values: Values, _notes: list[str]) -> Values:
    """The architecture that goes with the instance type."""
    family = values["instance_type"].partition(".")[0]
    arm = values["ami_arm"] == "on" or family.endswith(("g", "gd", "gn"))
    return {"ami_arch": "arm64" if arm else "x86_64"}


_VERSIONS = {"postgres": "16", "mysql": "8.0", "mariadb": "10.11"}


def _rds_instance(values: Values, notes: list[str]) -> Values:
    """The engine's version, port, and room to grow."""
    engine = values["engine"]
    size = max(20, number(values["storage_gb"]))
    if size != number(values["storage_gb"]):
        notes.append("The database has 20 GB: gp3 storage takes no less.")
    limit = number(values["storage_limit_gb"]) or size * 5
    if limit <= size:
        notes.append(f"The storage does not grow: {limit} GB is no more than the {size} GB it has.")
    return {
        "engine_version": values["engine_version"] or _VERSIONS[engine],
        "port_number": "5432" if engine == "postgres" else "3306",
        "storage_gb": str(size),
        "storage_limit_gb": str(limit) if limit > size else "0",
        **bounded(values, notes, backup_days=(0, 35)),
    }


_MAKERS: dict[str, Callable[[Values, list[str]], Values]] = {
    "s3_bucket": _s3_bucket,
    "sqs_queue": _sqs_queue,
    "sns_topic": _sns_topic,
    "dynamodb_table": _dynamodb_table,
    "kms_key": _kms_key,
    "lambda_function": _lambda_function,
    "log_group": _log_group,
    "iam_role": _iam_role,
    "vpc": _vpc,
    "security_group": _security_group,
    "ec2_instance": _ec2_instance,
    "rds_instance": _rds_instance,
    **derive_data.MAKERS,
    **derive_events.MAKERS,
    **derive_web.MAKERS,
}
_COMPLETED: dict[str, Callable[[Values], Values]] = {**derive_events.COMPLETED, **derive_web.COMPLETED}
