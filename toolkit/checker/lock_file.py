"""terraform's lock file, `.terraform.lock.hcl`: which providers init chose, and the hashes of their packages.

https://developer.hashicorp.com/terraform/language/files/dependency-lock
"""

from toolkit.checker.hcl import Attribute, Block, parse
from toolkit.checker.tokens import HclError, Tokens
from toolkit.contracts import ProviderUsed


def read_lock(content: bytes) -> list[ProviderUsed]:
    """The providers of a lock file, by source. Raises ValueError for anything that is none."""
    try:
        file = parse(content.decode("utf-8"))
    except HclError as error:
        raise ValueError(f"it is no lock file: {error}") from error
    if file.attributes:
        raise ValueError(f"it is no lock file: line {file.attributes[0].line}")
    return sorted((_provider(block) for block in file.blocks), key=lambda provider: provider.source)


def _provider(block: Block) -> ProviderUsed:
    named = {attribute.name: attribute for attribute in block.attributes}
    if block.type != "provider" or len(block.labels) != 1 or block.blocks or "version" not in named:
        raise ValueError(f"it is no lock file: line {block.line}")
    version = _strings(named["version"])
    if len(version) != 1 or len(named) != len(block.attributes):
        raise ValueError(f"it is no lock file: line {block.line}")
    hashes = _strings(named["hashes"]) if "hashes" in named else []
    return ProviderUsed(source=block.labels[0], version=version[0], hashes=hashes)


def _strings(attribute: Attribute) -> list[str]:
    """The plain strings of a value. Raises ValueError where there is more to it than strings in a list."""
    tokens: Tokens = attribute.value
    if any(token.kind not in ("string", "punct", "newline") for token in tokens):
        raise ValueError(f"it is no lock file: line {attribute.line}")
    found = [token.parts for token in tokens if token.kind == "string"]
    texts = ["".join(part for part in parts if isinstance(part, str)) for parts in found]
    if any(not isinstance(part, str) for parts in found for part in parts):
        raise ValueError(f"it is no lock file: line {attribute.line}")
    return texts
