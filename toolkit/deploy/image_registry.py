"""Asks a registry which content a tag names at this moment; needs no Docker and no account.

    GET /v2/NAME/manifests/TAG ──401: realm, service, scope──▶ GET realm ──▶ token ──▶ GET again ──▶ index

The digest of an index is the hash of its bytes, so what the registry says of it is held against what it sent.
https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
https://distribution.github.io/distribution/spec/auth/token/
"""

import hashlib
import re
import urllib.parse
from collections.abc import Collection

import msgspec

from toolkit.deploy.image_web import HINT, Answer, get
from toolkit.errors import DeployFailed

INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MAX_MANIFEST_BYTES = 4 * 1024 * 1024  # what the specification asks a registry to take

Platforms = Collection[tuple[str, str]]


class _Platform(msgspec.Struct):
    os: str = ""
    architecture: str = ""


class _Entry(msgspec.Struct):
    platform: _Platform = msgspec.field(default_factory=_Platform)


class _Index(msgspec.Struct):
    manifests: list[_Entry]


class _Token(msgspec.Struct):
    token: str = ""
    access_token: str = ""


def tag_digest(image: str, tag: str, platforms: Platforms) -> str:
    """The digest (`sha256:…`) of the index that a tag names; `image` is REGISTRY/NAME.

    Raises `DeployFailed` where the registry does not answer as the specification says, where its answer is
    not what its digest says, and where the index lacks one of `platforms` (pairs such as `linux`, `arm64`).
    """
    reference = f"{image}:{tag}"
    answer = _manifest(image, tag)
    if answer.status != 200:
        raise DeployFailed(f"{reference} cannot be had: the registry says {answer.status}", HINT)
    digest = "sha256:" + hashlib.sha256(answer.body).hexdigest()
    said = answer.headers.get("Docker-Content-Digest", digest)
    if said.startswith("sha256:") and said != digest:
        raise DeployFailed(f"what the registry sent for {reference} has not the digest that it says, {said}")
    if absent := sorted(set(platforms) - _platforms(answer.body, reference)):
        names = ", ".join("/".join(one) for one in absent)
        raise DeployFailed(f"{reference} is not there for {names}", "choose another base image")
    return digest


def _manifest(image: str, tag: str) -> Answer:
    registry, _, name = image.partition("/")
    url = f"https://{registry}/v2/{name}/manifests/{tag}"
    headers = {"Accept": ", ".join(INDEXES)}
    answer = get(url, headers, MAX_MANIFEST_BYTES)
    if answer.status != 401:
        return answer
    token = _token(answer.headers.get_all("WWW-Authenticate", []), name, registry)
    return get(url, {**headers, "Authorization": f"Bearer {token}"}, MAX_MANIFEST_BYTES)


def _token(challenges: list[str], name: str, registry: str) -> str:
    """A token for anyone who may read, from where the registry says that they are given."""
    for challenge in challenges:
        if found := re.search(r"\bbearer\s+(.*)", challenge, re.IGNORECASE):
            given = {key.lower(): value for key, value in re.findall(r'(\w+)="([^"]*)"', found[1])}
            return _ask_token(given, name, registry)
    raise DeployFailed(f"{registry} asks for a log-in of a kind that tfkit does not have", HINT)


def _ask_token(given: dict[str, str], name: str, registry: str) -> str:
    query = {"service": given.get("service", ""), "scope": given.get("scope") or f"repository:{name}:pull"}
    realm = given.get("realm", "")
    mark = "&" if "?" in realm else "?"
    answer = get(realm + mark + urllib.parse.urlencode({k: v for k, v in query.items() if v}))
    try:
        said = msgspec.json.decode(answer.body, type=_Token)
    except msgspec.MsgspecError:
        said = _Token()
    if not (token := said.token or said.access_token):
        raise DeployFailed(f"{registry} gives no token to read {name}: it says {answer.status}", HINT)
    if not re.fullmatch(r"[\x21-\x7e]+", token):  # it goes into a header
        raise DeployFailed(f"{registry} gives a token that cannot be one")
    return token


def _platforms(body: bytes, reference: str) -> set[tuple[str, str]]:
    try:
        index = msgspec.json.decode(body, type=_Index)
    except msgspec.MsgspecError as wrong:
        raise DeployFailed(
            f"{reference} is no index of images for several platforms", "choose another base image"
        ) from wrong
    return {(entry.platform.os, entry.platform.architecture) for entry in index.manifests}
