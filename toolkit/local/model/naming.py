"""Names: guessed from what the prompt says a resource is for, and made fit for Terraform's labels."""

import re

from toolkit.local.model.phrases import Hit

_STOP = (
    r"(?:with|and|that|which|in|to|using|so|on|where|whose|from|as|encrypted|triggered|of|when|by|or|is|each|every|"
    r"having|including|via|plus|if|inside|we|i|my|our|the|a|an|this|it|them|me|us|into|at|reading|writing)"
)
_PURPOSE = re.compile(
    r"^ (?:to be used |used |)(?:for|to store|to hold|storing|holding|containing) "
    r"(?:our |my |the |a |an |all |some )*"
    rf"(?:(?:storing|holding|keeping|collecting|hosting) )?(?:our |my |the )?"
    r"(?![a-z]+-[0-9a-f]{8,17}\b)"
    rf"(?P<what>(?!{_STOP}\b)[a-z]+(?:[ -](?!{_STOP}\b)[a-z]+)?)",
    re.I,
)
_BEFORE = re.compile(r"\b(?:an?|the|my|our) (?P<what>[a-z]+(?<!s)s) $", re.I)
_NO_PURPOSE_WORDS = """
terraform production testing development dev prod staging project app application lambda queue
http https github bucket topic table use best aws sqs sns rds ecs eks kms example demo security storage
encryption free low high now real anywhere internet port ports inbound outbound
"""
_NO_PURPOSE = frozenset(_NO_PURPOSE_WORDS.split())


def purpose(text: str, hit: Hit, mentions: list[Hit]) -> str:
    """A name out of "bucket for user uploads" or "the orders queue", or nothing."""
    after = _PURPOSE.match(text[hit.end :])
    if after:
        start, end = hit.end + after.start("what"), hit.end + after.end("what")
        blocked = any(m.start < end and m.end > start for m in mentions)
        words = after["what"].lower().split()
        if not blocked and not _NO_PURPOSE & set(words):
            return "-".join(words)
    before = _BEFORE.search(text[: hit.start])
    if before and before["what"].lower() not in _NO_PURPOSE:
        return before["what"].lower()
    return ""


def label(name: str) -> str:
    """The name as a Terraform label: lower case, digits and underscores, starting with a letter."""
    text = re.sub(r"[^a-z0-9]+", "_", name.lower().removesuffix(".fifo")).strip("_")
    return text if text[:1].isalpha() else f"r_{text}".rstrip("_")


def bucket_name(name: str) -> str:
    """The name as S3 takes it: lower case, hyphens, 3 to 63 characters."""
    text = re.sub(r"[^a-z0-9.-]+", "-", name.lower()).strip("-.")
    return (text if len(text) >= 3 else f"{text}-bucket")[:63].rstrip("-.")
