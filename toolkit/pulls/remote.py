"""Which repository on which GitHub a remote is, where that host's API lies, and the token for it.

A token goes to the host that it was made for and to no other: `GH_TOKEN` and `GITHUB_TOKEN` are github.com's
(within a workflow, those of the server that runs it). For a server of a company's own there are other names,
as GitHub's command line has them, and the server must be named beside the token (`GH_HOST`): a clone's remote
may name any host. https://cli.github.com/manual/gh_help_environment
"""

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from toolkit.errors import UsageError

OVERRIDE = "TFKIT_GITHUB_API"
"""The base of the API, where it is not where the remote's host says."""

GITHUB = "github.com"
TENANTS = ".ghe.com"
"""Enterprises on GitHub's own cloud, each with a name of its own:
https://docs.github.com/en/enterprise-cloud@latest/admin/data-residency"""

GH_SECONDS = 15.0
LOOPBACK = ("127.0.0.1", "localhost", "::1")

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_OWNER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_NAME = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")
_SCP = re.compile(r"(?:[^@/\s]+@)?([^:/\s]+):(?!/)(.+)")
_TOKEN = re.compile(r"[!-~]{4,2000}")
# What answers for github.com under another name.
_ALIASES = {"www.github.com": GITHUB, "ssh.github.com": GITHUB}


class Place(NamedTuple):
    """A repository on a GitHub. `host` has the port of its https, where that is not 443."""

    host: str
    owner: str
    name: str

    @property
    def path(self) -> str:
        """`owner/name`."""
        return f"{self.owner}/{self.name}"

    @property
    def address(self) -> str:
        """Where its pages are, and what git's https begins with."""
        return f"https://{self.host}"

    @property
    def api(self) -> str:
        """The base of its API: https://docs.github.com/en/enterprise-server/rest/quickstart"""
        if self.host == GITHUB:
            return "https://api.github.com"
        if self.host.endswith(TENANTS):
            return f"https://api.{self.host}"
        return f"https://{self.host}/api/v3"


def place_of(url: str) -> Place | None:
    """The repository that a remote's address names, in the forms of https and ssh; None for any other."""
    host, path = _split(url.strip())
    parts = path.strip("/").removesuffix(".git").split("/")
    if not host or len(parts) != 2 or not _OWNER.fullmatch(parts[0]) or not _NAME.fullmatch(parts[1]):
        return None
    return Place(_ALIASES.get(host, host), *parts)


def _split(url: str) -> tuple[str, str]:
    """The host, in lower case and with a port if it is one of https, and the path."""
    if "://" not in url:
        found = _SCP.fullmatch(url)
        return (found[1].lower(), found[2]) if found and _HOST.fullmatch(found[1]) else ("", "")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "", ""
    if parts.scheme not in ("https", "ssh") or not _HOST.fullmatch(host):
        return "", ""
    if parts.scheme == "https" and port not in (None, 443):
        host = f"{host}:{port}"
    return host, parts.path


def api_of(place: Place, environment: Mapping[str, str]) -> str:
    """The base of the API: the host's own, or what `TFKIT_GITHUB_API` names.

    Raises `UsageError` for an address that would carry the token in the clear to another machine.
    """
    given = environment.get(OVERRIDE, "").rstrip("/")
    if not given:
        return place.api
    try:
        parts = urlsplit(given)
        good = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
        good = good and bool(parts.hostname) and parts.username is None and not parts.query + parts.fragment
    except ValueError:
        good = False
    if not good:
        raise UsageError(
            f"{OVERRIDE} is no address of an API", "for example: https://github.example.com/api/v3"
        )
    return given


def token_of(place: Place, environment: Mapping[str, str]) -> str:
    """The token for a host, from the environment or from `gh`. Raises `UsageError` where there is none."""
    names = _names(place.host, environment)
    token = next((value for name in names if (value := environment.get(name, "").strip())), "")
    token = token or _of_gh(place.host, environment)
    if not token:
        raise UsageError(
            f"there is no token for {place.host}",
            f"{_how(place.host, names)}, or: gh auth login --hostname {place.host}",
        )
    if not _TOKEN.fullmatch(token):
        raise UsageError(f"the token for {place.host} has characters that no token has", "set it again")
    return token


def _names(host: str, environment: Mapping[str, str]) -> list[str]:
    """The variables that hold a token for this host, in the order in which they are asked; none for most."""
    name = host.partition(":")[0]
    server = _host_of(environment.get("GITHUB_SERVER_URL", ""))
    if name == (server or GITHUB) or (not server and host.endswith(TENANTS)):
        return ["GH_TOKEN", "GITHUB_TOKEN"]
    named = {_host_of(environment.get(OVERRIDE, "")), environment.get("GH_HOST", "").strip().lower()}
    return ["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"] if {name, host} & named else []


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _how(host: str, names: Sequence[str]) -> str:
    """How a token for the host is given by variables."""
    return f"set {names[0]}" if names else f"set GH_HOST={host} and GH_ENTERPRISE_TOKEN"


def _of_gh(host: str, environment: Mapping[str, str]) -> str:
    """What GitHub's own command line has for the host; empty where it is not there or has none."""
    gh = shutil.which("gh", path=environment.get("PATH"))
    if gh is None:
        return ""
    # Without the variables, which it would repeat: they were asked already, by our rule.
    clean = {name: value for name, value in environment.items() if not name.endswith("_TOKEN")}
    try:
        done = subprocess.run(
            [gh, "auth", "token", "--hostname", host],
            env=clean,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=GH_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else ""
