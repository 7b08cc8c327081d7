"""The validator `policy`: a team's own rules on tags, names, types, regions and instance types.

The rules come from `tfkit-policy.toml` (`policy_rules`). It reads and plans nothing: what cannot be decided
by reading (a value that comes from a look-up, a tag map that a caller gives) is said with the severity
`info`, so that nobody takes it for a pass.
"""

import functools
import json
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from plugins.hcl_reader import UNKNOWN, Map, Unknown, Value
from plugins.hcl_values import Module, modules
from plugins.policy_rules import Rules, rules_of
from toolkit import __version__
from toolkit.checker.hcl import Block
from toolkit.checker.sources import module_files
from toolkit.checker.staging import OVERRIDE_NAME
from toolkit.checker.tokens import HclError
from toolkit.checker.validator import Stage
from toolkit.contracts import Finding, Severity, Shape, Tool, Tree
from toolkit.errors import PlatformError

NAME_ARGUMENTS = (
    "name", "bucket", "identifier", "cluster_identifier", "function_name", "repository_name",
    "family", "domain_name", "table_name", "cluster_id", "replication_group_id",
)  # fmt: skip
"""What a resource calls its name, the first that it has."""

SIZE_ARGUMENTS = ("instance_type", "instance_types", "instance_class", "node_type", "cache_node_type")


class Options(Shape, frozen=True):
    """`rules` is the content of the policy file, which the command line reads (`file` names another one)."""

    rules: dict[str, Any] | None = None


class Resource(NamedTuple):
    """A resource block, where it stands, and the folder that gives its expressions a meaning."""

    path: str
    block: Block
    module: Module

    @property
    def type(self) -> str:
        """Such as `aws_s3_bucket`."""
        return self.block.labels[0]

    @property
    def address(self) -> str:
        """As Terraform names it in its folder."""
        return ".".join(self.block.labels)


class Policy:
    """A team's rules, checked by reading."""

    name = "policy"

    def tool(self) -> Tool | None:
        """tfkit's own reader."""
        return Tool(name="tfkit", version=__version__)

    def check(self, stage: Stage) -> Iterable[Finding]:
        """Forbidden and not allowed are high, tags and names medium, undecidable is info.

        Raises `PlatformError` without rules and `UsageError` where they are wrong.
        """
        options = stage.options_as(Options)
        if options.rules is None:
            raise PlatformError("there are no rules", "write tfkit-policy.toml; docs/plugins.md says how")
        rules = rules_of(options.rules)
        tree = _tree(stage.root)
        yield from _unread(tree)
        for module in modules(tree).values():
            yield from _regions(module, rules)
            for path, block in module.blocks:
                if block.type == "resource" and len(block.labels) == 2:
                    yield from _resource(Resource(path, block, module), rules)


def _resource(resource: Resource, rules: Rules) -> Iterator[Finding]:
    for pattern in rules.forbidden.types:
        if fnmatchcase(resource.type, pattern):
            yield _found(resource, "forbidden-type", "high", f"{resource.type} is not to be used here")
    yield from _attributes(resource, rules)
    yield from _sizes(resource, rules)
    yield from _names(resource, rules)
    yield from _tags(resource, rules)


def _attributes(resource: Resource, rules: Rules) -> Iterator[Finding]:
    for where, forbidden in rules.forbidden.attributes.items():
        kind, *path = where.split(".")
        if not fnmatchcase(resource.type, kind):
            continue
        for block in _inner(resource.block, path[:-1]):
            value = resource.module.attribute(block, path[-1])
            named = next((a for a in block.attributes if a.name == path[-1]), None)
            if named is None:
                continue
            if "*" in forbidden or _plain(value) in [_plain(bad) for bad in forbidden]:
                message = f"{'.'.join(path)} must not be {_shown(value)}"
                yield _found(resource, "forbidden-value", "high", message, named.line)
            elif isinstance(value, Unknown):
                yield _undecided(resource, f"what {'.'.join(path)} will be", named.line)


def _sizes(resource: Resource, rules: Rules) -> Iterator[Finding]:
    for attribute in resource.block.attributes if rules.allowed.instance_types else ():
        if attribute.name not in SIZE_ARGUMENTS:
            continue
        value = resource.module.value(attribute.value)
        for size in value if isinstance(value, list) else [value]:
            if not isinstance(size, str):
                yield _undecided(resource, f"what {attribute.name} will be", attribute.line)
            elif not any(fnmatchcase(size, allowed) for allowed in rules.allowed.instance_types):
                message = f"{attribute.name} {size} is not among {', '.join(rules.allowed.instance_types)}"
                yield _found(resource, "instance-type", "high", message, attribute.line)


def _names(resource: Resource, rules: Rules) -> Iterator[Finding]:
    pattern = rules.names.get(resource.type)
    if pattern is None:
        return
    names = {a.name: a for a in resource.block.attributes}
    argument = next((names[name] for name in NAME_ARGUMENTS if name in names), None)
    if argument is None:
        yield _undecided(resource, "its name, which AWS or a prefix will make up")
        return
    value = resource.module.value(argument.value)
    if not isinstance(value, str):
        yield _undecided(resource, f"what {argument.name} will be", argument.line)
    elif not re.fullmatch(pattern, value):
        message = f"{argument.name} {value!r} does not match {pattern}"
        yield _found(resource, "name", "medium", message, argument.line)


def _tags(resource: Resource, rules: Rules) -> Iterator[Finding]:
    if resource.type not in taggable() or any(fnmatchcase(resource.type, e) for e in rules.tags.exceptions):
        return
    tags = _all_tags(resource)
    line = next((a.line for a in resource.block.attributes if a.name == "tags"), resource.block.line)
    if missing := [key for key in rules.tags.required if key not in tags.items]:
        named = ", ".join(missing)
        if tags.complete:
            hint = f"Add {named} to its tags, or to default_tags of the provider."
            yield _found(resource, "tags", "medium", f"has no tag {named}", line, hint)
        else:
            yield _undecided(resource, f"whether it will have the tag {named}", line)
    for key, pattern in rules.tags.values.items():
        value = tags.items.get(key)
        if isinstance(value, Unknown):
            yield _undecided(resource, f"what the tag {key} will be", line)
        elif value is not None and not (isinstance(value, str) and re.fullmatch(pattern, value)):
            yield _found(
                resource, "tag-value", "medium", f"the tag {key} is {_shown(value)}, not {pattern}", line
            )


def _all_tags(resource: Resource) -> Map:
    """The tags of the provider and the resource's own, which win."""
    own = resource.module.attribute(resource.block, "tags")
    below = _default_tags(resource)
    if own is None:
        return below
    if not isinstance(own, Map):
        return Map(dict.fromkeys(below.items, UNKNOWN), complete=False)
    return Map(below.items | own.items, below.complete and own.complete)


def _default_tags(resource: Resource) -> Map:
    """`default_tags` of the provider of a resource; a folder without providers has those of its caller."""
    chosen = next((a.value for a in resource.block.attributes if a.name == "provider"), ())
    alias = chosen[2].text if len(chosen) == 3 else None
    module = resource.module
    for _ in range(20):
        providers = [b for _, b in module.blocks if b.type == "provider" and b.labels == ("aws",)]
        for provider in providers:
            if module.attribute(provider, "alias") == alias:
                return _tags_of(provider, module)
        if len(module.callers) != 1:
            return Map({}, complete=not module.callers and not alias)
        module, call = module.callers[0]
        if alias or any(a.name == "providers" for a in call.attributes):
            return Map({}, complete=False)
    return Map({}, complete=False)


def _tags_of(provider: Block, module: Module) -> Map:
    inner = next((b for b in provider.blocks if b.type == "default_tags"), None)
    tags = module.attribute(inner, "tags") if inner else Map({})
    return tags if isinstance(tags, Map) else Map({}, complete=tags is None)


def _regions(module: Module, rules: Rules) -> Iterator[Finding]:
    for path, block in module.blocks if rules.allowed.regions else ():
        region = next((a for a in block.attributes if a.name == "region"), None)
        if block.type not in ("provider", "resource") or region is None:
            continue
        where = Resource(path, block, module)
        value = module.value(region.value)
        if not isinstance(value, str):
            yield _undecided(where, "which region it is for", region.line)
        elif value not in rules.allowed.regions:
            message = f"the region {value} is not among {', '.join(rules.allowed.regions)}"
            yield _found(where, "region", "high", message, region.line)


def _unread(tree: Tree) -> Iterator[Finding]:
    """Files of which nothing can be said."""
    for path, file in module_files(tree):
        if isinstance(file, HclError):
            yield Finding(
                validator="policy",
                rule="unreadable",
                severity="high",
                message=str(file),
                file=path,
                line=file.line,
            )
        elif path.endswith(".json") and file.blocks:
            message = "the policy does not read the JSON syntax; nothing in this file was checked"
            yield Finding(validator="policy", rule="undecided", severity="info", message=message, file=path)


def _inner(block: Block, path: list[str]) -> list[Block]:
    """The blocks below a block by a path of their types."""
    found = [block]
    for name in path:
        found = [inner for outer in found for inner in outer.blocks if inner.type == name]
    return found


def _found(
    resource: Resource, rule: str, severity: Severity, message: str, line: int = 0, hint: str = ""
) -> Finding:
    return Finding(
        validator="policy",
        rule=rule,
        severity=severity,
        message=f"{resource.block.type} {resource.address}: {message}",
        file=resource.path,
        line=line or resource.block.line,
        hint=hint,
    )


def _undecided(resource: Resource, what: str, line: int = 0) -> Finding:
    return _found(resource, "undecided", "info", f"by reading alone it cannot be told {what}", line)


def _plain(value: "Value | int") -> str:
    """A value as Terraform's own conversion would write it: true and "true" are the same argument."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _shown(value: Value) -> str:
    return _plain(value) if isinstance(value, (str, bool)) else "this"


@functools.cache
def taggable() -> frozenset[str]:
    """The types that take tags, from the schema of the provider hashicorp/aws 5.100.0."""
    return frozenset(json.loads(Path(__file__).with_name("taggable_aws.json").read_bytes()))


def _tree(root: Path) -> Tree:
    files = [*root.rglob("*.tf"), *root.rglob("*.tf.json"), *root.rglob("*.tfvars")]
    named = {file.relative_to(root).as_posix(): file.read_bytes() for file in files}
    named.pop(OVERRIDE_NAME, None)
    return Tree(files=named)
