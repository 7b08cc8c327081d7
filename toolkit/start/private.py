"""Which files hold a secret, by their names or by what is in them.

Variable values (`*.tfvars`) are part of a configuration and go along, unless they set a variable whose name
says password, secret, token or key. A net and no proof, as `telemetry.redact` says of itself.
"""

import re
from fnmatch import fnmatchcase

from toolkit.telemetry.redact import redact

BY_NAME = (
    ".env", ".env.*", "*.env", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx",
    "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", "credentials*", ".netrc", ".npmrc", ".pypirc",
    ".git-credentials", ".htpasswd", ".terraformrc", "terraform.rc", "*.tfstate", "*.tfstate.*",
)  # fmt: skip
"""Names of files that are secrets or hold them; a state has every password of what it describes."""

CODE = (".tf", ".tf.json", ".md", ".pub")
"""What is judged by its content alone: `credentials.tf` is code, and a public key is public."""

_SET = re.compile(
    r"""^[ \t]*"?[\w-]*(?:password|passwd|passphrase|secret|token|private_key|access_key|api_key)"?"""
    r"""[ \t]*[=:][ \t]*(?:"[^"\n]{4,}"|<<)""",
    re.IGNORECASE | re.MULTILINE,
)
_FOUND = re.compile(r"\[redacted:([a-z-]+)\]")


def secret_by_name(name: str) -> str:
    """Why a file of this name stays home; empty where the name says nothing."""
    lowered = name.casefold()
    if lowered.endswith(CODE):
        return ""
    match = next((pattern for pattern in BY_NAME if fnmatchcase(lowered, pattern)), "")
    return f"files named {match} hold secrets" if match else ""


def secret_inside(name: str, content: bytes) -> str:
    """Why a file with this content stays home; empty where nothing looks like a secret. Never says which."""
    text = content.decode("utf-8", "replace")
    before = set(_FOUND.findall(text))
    if kinds := sorted(set(_FOUND.findall(redact(text))) - before):
        return f"it looks as if it held a secret: {', '.join(kinds)}"
    if name.casefold().endswith((".tfvars", ".tfvars.json")) and _SET.search(text):
        return "it sets a variable whose name says that it is a secret"
    return ""
