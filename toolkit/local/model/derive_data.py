"""Values that follow from others, for databases, caches, brokers, builds and file systems."""

from collections.abc import Callable

from toolkit.local.model.bounds import Values, bounded, identifier, number, retention

_AURORA = {"aurora-postgresql": ("16", "5432"), "aurora-mysql": ("8.0", "3306")}


def _aurora_cluster(values: Values, notes: list[str]) -> Values:
    """The engine's version and port; `db.serverless` where capacity is asked for in its stead."""
    version, port = _AURORA[values["engine"]]
    serverless = values["serverless"] == "on"
    low, high = float(values["min_acu"]), float(values["max_acu"])
    if high < max(low, 1):
        notes.append("max acu is raised to what min acu needs: AWS takes at least 1.")
    return {
        "lower": identifier(values["name"]),
        "engine_version": values["engine_version"] or version,
        "port_number": port,
        "instance_class": "db.serverless" if serverless else values["instance_class"],
        "min_acu": f"{low:g}",
        "max_acu": f"{max(low, high, 1):g}",
        **bounded(values, notes, instances=(1, 16), backup_days=(1, 35)),
    }


def _redshift_cluster(values: Values, notes: list[str]) -> Values:
    """Names in the letters that Redshift takes, and whether there is more than one node."""
    return {
        "lower": identifier(values["name"]),
        "database": values["database"].lower(),
        "many_nodes": "on" if number(values["nodes"]) > 1 else "off",
        **bounded(values, notes, nodes=(1, 128), snapshot_days=(1, 35)),
    }


_CACHE = {"redis": ("7.1", "6379"), "valkey": ("8.0", "6379"), "memcached": ("1.6.22", "11211")}


_CACHE_HOSTS = (
    "aws_elasticache_replication_group.{}.primary_endpoint_address",
    "aws_elasticache_cluster.{}.configuration_endpoint",
)


def _elasticache(values: Values, notes: list[str]) -> Values:
    """Two nodes where one must take over for the other; no failover with one."""
    version, port = _CACHE[values["engine"]]
    wanted = number(values["nodes"]) or (1 if values["engine"] == "memcached" else 2)
    if wanted < 2 and values["failover"] == "on":
        notes.append("The cache has 2 nodes: there is no failover with one.")
        wanted = 2
    failover = values["failover"] or ("on" if wanted > 1 else "off")
    major = values["engine_version"]
    return {
        "cache_name": identifier(values["name"], 40),
        "engine_version": {"7": "7.1", "6": "6.2", "8": "8.0"}.get(major, major) or version,
        "port_number": port,
        "nodes": str(wanted),
        "many_nodes": "on" if wanted > 1 else "off",
        "failover": failover,
        "host": _CACHE_HOSTS[values["engine"] == "memcached"].format(values["label"]),
        **bounded(values, notes, snapshot_days=(0, 35)),
    }


def _msk_cluster(values: Values, notes: list[str]) -> Values:
    """As many brokers as were asked for; MSK takes a multiple of the zones that they are in."""
    brokers = number(values["brokers"]) or 3
    if brokers % 2 and brokers % 3:
        notes.append(f"{brokers} brokers: MSK takes a multiple of the number of subnets.")
    return {"brokers": str(brokers), **bounded(values, notes, storage_gb=(1, 16384))}


_IA_PERIODS = (1, 7, 14, 30, 60, 90, 180, 270, 365)


def _efs_file_system(values: Values, notes: list[str]) -> Values:
    """A period that EFS knows."""
    if not number(values["ia_days"]):
        return {"ia_period": ""}
    wanted = number(values["ia_days"])
    days = next((d for d in _IA_PERIODS if d >= wanted), _IA_PERIODS[-1])
    if days != wanted:
        notes.append(f"Files move to infrequent access after {days} days: EFS has no period of {wanted}.")
    return {"ia_period": f"AFTER_{days}_DAY{'S' if days > 1 else ''}"}


def _secret(values: Values, notes: list[str]) -> Values:
    """A recovery window that Secrets Manager takes: 7 to 30 days, or none."""
    if values["recovery_days"] in ("0", "off"):
        return {"recovery_days": "0"}
    return bounded(values, notes, recovery_days=(7, 30))


def _codebuild_project(values: Values, notes: list[str]) -> Values:
    """Where the sources are, and the sort of machine that goes with the image."""
    source = values["source"]
    host = next((h for h in ("github", "gitlab", "bitbucket") if h in source), "")
    kinds = {"github": "GITHUB", "gitlab": "GITLAB", "bitbucket": "BITBUCKET"}
    arm = "aarch64" in values["image"]
    if not source:
        notes.append("The build has no sources: the prompt names no repository.")
    return {
        "no_source": "off" if source else "on",
        "source_type": kinds.get(host, "CODECOMMIT" if "codecommit" in source else "GITHUB_ENTERPRISE"),
        "environment": "ARM_CONTAINER" if arm else "LINUX_CONTAINER",
        "compute_type": values["compute"].upper(),
        "log_days": retention(values["log_days"], notes),
        **bounded(values, notes, timeout_minutes=(5, 2160)),
    }


def _eks_cluster(values: Values, notes: list[str]) -> Values:
    """The group's size, and images for the processor of its machines."""
    wanted = max(1, number(values["node_count"]))
    low = number(values["node_min"]) or min(1, wanted)
    high = max(number(values["node_max"]), wanted)
    if values["nodes"] == "on" and not number(values["node_max"]):
        notes.append(f"The node group stays at {low} to {high} nodes: no maximum was asked for.")
    if number(values["node_min"]) and values["node_count"] == values["node_max"]:
        wanted = low
    family = values["node_type"].partition(".")[0]
    return {
        "node_count": str(max(wanted, low)),
        "node_min": str(low),
        "node_max": str(high),
        "node_arm": "on" if family.endswith(("g", "gd", "gn")) else "off",
        **bounded(values, notes, disk_gb=(20, 16384)),
    }


def _firehose_stream(values: Values, notes: list[str]) -> Values:
    """Buffers that Firehose takes."""
    return {
        "log_days": retention(values["log_days"], notes),
        "compression": "UNCOMPRESSED" if values["compression"] == "off" else values["compression"],
        **bounded(values, notes, buffer_mb=(1, 128), buffer_seconds=(0, 900)),
    }


def _db_subnet_group(values: Values, _notes: list[str]) -> Values:
    """The name in the letters that RDS takes."""
    return {"lower": identifier(values["name"])}


def _s3_object(values: Values, notes: list[str]) -> Values:
    """The key: what is named as such, or the file's name; without either, the name."""
    path = values["path"]
    key = values["key"] or path.rpartition("/")[2] or values["name"]
    if not (path or values["content"]):
        notes.append(f"The object {key} is empty: the prompt names neither a file nor a content.")
    return {"object_key": key}


MAKERS: dict[str, Callable[[Values, list[str]], Values]] = {
    "aurora_cluster": _aurora_cluster,
    "redshift_cluster": _redshift_cluster,
    "elasticache": _elasticache,
    "msk_cluster": _msk_cluster,
    "efs_file_system": _efs_file_system,
    "secret": _secret,
    "codebuild_project": _codebuild_project,
    "eks_cluster": _eks_cluster,
    "firehose_stream": _firehose_stream,
    "db_subnet_group": _db_subnet_group,
    "s3_object": _s3_object,
}
