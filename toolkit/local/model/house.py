"""The style of a configuration that is there already, and new blocks put into it.

What can be told without understanding it: which file holds which kind of block, which tags and which prefix
of names most resources carry. Where there is no majority for a habit, there is none.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from toolkit.local.model.blocks import Block
from toolkit.local.model.layout import tidy

_RESOURCE = re.compile(r'^resource\s+"(?P<type>\w+)"\s+"(?P<label>[\w-]+)"\s*\{(?P<body>.*?)^\}', re.M | re.S)
_HEAD = re.compile(r'^(?P<type>resource|data|variable|output|locals|module)\b(?:\s+"(?P<first>\w+)")?', re.M)
_TAGS = re.compile(r"^  tags\s*=\s*(?:merge\(\s*)?(?P<tags>(?:local|var)\.\w+)\s*(?:,|\)|$)", re.M)
_NAME = r"(?:name|bucket|identifier|cluster_identifier|function_name|bucket_prefix|name_prefix)"
_PART = r"\$\{(?:local|var)\.\w+\}"
_PREFIX = re.compile(rf'^  {_NAME}\s*=\s*"(?P<prefix>{_PART}(?:[-_/.]{_PART})*[-_/.])[^"$]*"', re.M)
_DESCRIPTION = re.compile(r'^  description\s*=\s*"([^"]*)"$', re.M)
_NAMED = re.compile(rf'^  {_NAME}\s*=\s*"(?:{_PART}[-_/.]?)*(?P<name>[\w./-]+)"', re.M)

_TAGGABLE = """
acm_certificate cloudwatch_event_rule cloudwatch_log_group cloudwatch_metric_alarm codebuild_project
db_instance db_subnet_group dynamodb_table ecr_repository efs_access_point efs_file_system eip
eks_cluster eks_node_group elasticache_replication_group elasticache_subnet_group iam_instance_profile
iam_policy iam_role instance internet_gateway kinesis_firehose_delivery_stream kms_key lambda_function lb
lb_listener lb_target_group msk_cluster nat_gateway rds_cluster rds_cluster_instance redshift_cluster
redshift_subnet_group route53_zone route_table s3_bucket s3_object secretsmanager_secret security_group
sns_topic sqs_queue ssm_parameter subnet vpc apigatewayv2_api apigatewayv2_stage
"""
TAGGABLE = frozenset(f"aws_{kind}" for kind in _TAGGABLE.split())
"""Types of the recipes that take `tags`, in the AWS provider's documentation."""


class House(NamedTuple):
    """The habits of a configuration: empty where there is none of that kind.

    `places` is the file for each type of resource and each kind of block, `names` are the names that are
    taken, by type. `single` is the one file where all resources are, if they are all in one. `bare` says that
    descriptions end without a full stop.
    """

    places: Mapping[str, str]
    bare: bool
    tags: str
    prefix: str
    names: frozenset[tuple[str, str]]
    single: str


def read_house(texts: Mapping[str, str]) -> House:
    """The habits in the files at the top of a configuration, by path."""
    bodies = [(m["type"], m["body"]) for text in texts.values() for m in _RESOURCE.finditer(text)]
    tagged = [m["tags"] for type_, body in bodies if type_ in TAGGABLE for m in [_TAGS.search(body)] if m]
    prefixed = [m["prefix"] for _, body in bodies for m in [_PREFIX.search(body)] if m]
    named = [body for _, body in bodies if _NAMED.search(body)]
    homes = {path for path, text in texts.items() if _RESOURCE.search(text)}
    return House(
        places=_places(texts),
        bare=_bare(texts),
        tags=_habit(tagged, sum(type_ in TAGGABLE for type_, _ in bodies)),
        prefix=_habit(prefixed, len(named)),
        names=frozenset((type_, m["name"]) for type_, body in bodies for m in _NAMED.finditer(body)),
        single=next(iter(homes)) if len(homes) == 1 else "",
    )


def _habit(seen: list[str], of: int) -> str:
    """What at least two have, and more than half."""
    if not seen:
        return ""
    what, count = Counter(seen).most_common(1)[0]
    return what if count >= 2 and count * 2 > of else ""


def _bare(texts: Mapping[str, str]) -> bool:
    """Whether most descriptions of variables and outputs end without a full stop."""
    said = [found[1] for text in texts.values() for found in _DESCRIPTION.finditer(text)]
    return 2 * sum(one.endswith(".") for one in said) < len(said)


def _places(texts: Mapping[str, str]) -> dict[str, str]:
    """The file that holds most blocks of a kind (`variable`, `output`), and most resources of a type."""
    counts: dict[str, Counter[str]] = {}
    for path, text in texts.items():
        for head in _HEAD.finditer(text):
            kind = (head["first"] or "") if head["type"] in ("resource", "data") else head["type"]
            counts.setdefault(kind, Counter())[path] += 1
    return {kind: min(files, key=lambda p: (-files[p], p)) for kind, files in counts.items()}


def place(stem: str, blocks: Iterable[Block], house: House) -> str:
    """The file where these blocks go: that of their like, that of their name, or the only one."""
    for block in blocks:
        if block.type in ("variable", "output") and block.type in house.places:
            return house.places[block.type]
        if block.type == "resource" and block.address.partition(".")[0] in house.places:
            return house.places[block.address.partition(".")[0]]
    return f"{stem}.tf" if stem in ("variables", "outputs") else house.single or f"{stem}.tf"


def dressed(block: Block, house: House, assumed: Iterable[str]) -> Block:
    """The block with the house's tags, and its prefix before the names that nobody asked for (`assumed`)."""
    if block.type in ("variable", "output") and house.bare:
        return block._replace(text=_DESCRIPTION.sub(lambda found: found[0].replace('."', '"'), block.text))
    if block.type != "resource":
        return block
    text = block.text
    if house.prefix:
        for name in dict.fromkeys(assumed):
            wanted = rf'^(  {_NAME}\s*=\s*"(?:alias/)?)(?={re.escape(name)}\b)'
            text = re.sub(wanted, lambda found: found[1] + house.prefix, text, flags=re.M)
    if house.tags and block.address.partition(".")[0] in TAGGABLE:
        text = _tagged(text, house.tags)
    return block._replace(text=tidy(text))


def _tagged(text: str, tags: str) -> str:
    """The resource with the tags: merged with its own, or as its last argument."""
    own = re.search(r"^  tags\s*=\s*(\{.*?^  \}|\{[^\n]*\})$", text, re.M | re.S)
    if own:
        return f"{text[: own.start()]}  tags = merge({tags}, {own[1]}){text[own.end() :]}"
    end = text.rindex("}")
    return f"{text[:end].rstrip()}\n\n  tags = {tags}\n}}\n"
