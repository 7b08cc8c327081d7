"""Groups of what serves from inside the network: caches, databases, brokers, balanced instances."""

from toolkit.local.model.wish import Wish

GROUP, DATABASE, INSTANCE, FUNCTION = "security_group", "rds_instance", "ec2_instance", "lambda_function"
BALANCER, AURORA, CACHE = "load_balancer", "aurora_cluster", "elasticache"
SERVED = {AURORA: "5432", CACHE: "6379", "redshift_cluster": "5439", "msk_cluster": "9098",
          "efs_file_system": "2049"}  # fmt: skip
"""What is reached from inside the network, and on which port; each has a group of its own, if need be."""


def served(wishes: list[Wish], guards: dict[str, list[str]], friends: list[str]) -> list[Wish]:
    """The groups of what is reached from inside, open on its port: to its clients, or to the network."""
    result = list(wishes)
    for i, wish in enumerate(wishes):
        kind = next((k for k in SERVED if wish.kind == GROUP and wish.name in guards[k]), "")
        rules = wish.options.get("rules", "").splitlines()
        if not kind or any(not rule.startswith("out,") for rule in rules):
            continue
        options = next(w.options for w in wishes if w.kind == kind)
        port = {"aurora-mysql": "3306", "memcached": "11211"}.get(options.get("engine", ""), SERVED[kind])
        rules += [f"{port},{friend}" for friend in friends] or [f"{port},internal"]
        result[i] = wish._replace(options={**wish.options, "rules": "\n".join(rules)})
    return result


def balanced(wishes: list[Wish], guards: dict[str, list[str]]) -> list[Wish]:
    """The instances' group, open to the load balancer on the port of its targets."""
    balancer = next((w for w in wishes if w.kind == BALANCER), None)
    if balancer is None or not guards[INSTANCE]:
        return wishes
    network = balancer.options["type"] == "network"
    port = balancer.options["target_port"] or (balancer.options["port"] if network else "") or "80"
    source = "internal" if network else f"lb:{balancer.name}"
    result = list(wishes)
    for i, wish in enumerate(wishes):
        rules = wish.options.get("rules", "").splitlines()
        if wish.kind != GROUP or wish.name not in guards[INSTANCE]:
            continue
        rules = [r for r in rules if r != f"{port},internal"]
        if not any(rule.startswith(f"{port},") for rule in rules):
            rules.append(f"{port},{source}")
        result[i] = wish._replace(options={**wish.options, "rules": "\n".join(rules)})
    return result
