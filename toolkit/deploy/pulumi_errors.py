"""What Pulumi's CLI, its AWS provider and AWS itself say when it does not work, and the next step.

The CLI gives no codes, so its texts are read. Each pattern below is a text of theirs: of the CLI
(`pkg/backend/diy/lock.go`, `pkg/secrets/passphrase`, `sdk/go/common/workspace/plugins.go` in
github.com/pulumi/pulumi), of pulumi-aws' check of credentials (pulumi-aws pull request 3310), or an AWS
error code. The first that matches counts, so what is the cause of others stands before them.

Nothing that looks like a credential leaves this module (`redact`).
"""

import contextlib
import getpass
import os
import re
import socket
from collections.abc import Iterable
from typing import NamedTuple

from toolkit.errors import DeployFailed, TfkitError, ToolMissing, UsageError

GOES_ON = "and run the command again; it goes on from here"
SECRET_NAMES = (
    *("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "PULUMI_ACCESS_TOKEN"),
    *("PULUMI_CONFIG_PASSPHRASE", "GITHUB_TOKEN"),
)
LOOKS_SECRET = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"  # access key ids
    r"|\bpul-[0-9a-f]{40}\b"  # Pulumi access tokens
    r"|\b(?:FwoG|IQoJ)[A-Za-z0-9/+=]{40,}"  # session tokens of STS
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"  # user and password in an address
)
LOCK = re.compile(r"created by (\S+)@(\S+) \(pid (\d+)\)(?: at (\S+))?")
LOCKS = re.compile(r"currently locked by (\d+) lock")


class Rule(NamedTuple):
    """A text that says what is wrong. Without a `message` the text itself is the message."""

    pattern: str
    message: str
    hint: str
    error: type[TfkitError] = DeployFailed


RULES = (
    Rule(
        r"currently locked by \d+ lock|\[409\] Conflict: Another update is currently in progress",
        "another update is working on this stack",
        "wait until it is done; if none is running any more, `pulumi cancel` takes its lock off",
    ),
    Rule(
        r"ExpiredToken|RequestExpired|security token included in the request is expired"
        r"|SSO session (?:associated with this profile )?has expired|[Tt]oken has expired"
        r"|refresh cached SSO token failed|SSOProviderInvalidToken|Session token not found or invalid",
        "the AWS credentials have expired",
        f"log in again (for SSO: aws sso login) {GOES_ON}",
    ),
    Rule(
        r"InvalidClientTokenId|SignatureDoesNotMatch|UnrecognizedClientException|AuthFailure"
        r"|InvalidAccessKeyId|Invalid credentials configured",
        "AWS does not accept these credentials",
        f"check the profile with `aws sts get-caller-identity` {GOES_ON}",
    ),
    Rule(
        r"[Nn]o valid credential sources|NoCredentialProviders|Unable to locate credentials"
        r"|no EC2 IMDS role found|unable to validate AWS credentials|failed to get shared config profile",
        "there are no AWS credentials",
        "log in (aws sso login, or aws configure), name the profile with --profile, and run it again",
    ),
    Rule(
        r"missing region information|MissingRegion|[Ii]nvalid AWS Region|Invalid region|not a valid region",
        "AWS does not know the region, or none is set",
        "name one with --region",
        UsageError,
    ),
    Rule(
        r"OptInRequired|region is not enabled|is not enabled in this region",
        "",
        "enable the region for this account, or choose another with --region",
    ),
    Rule(
        r"don't have access to the model|model identifier is invalid|aws-marketplace:Subscribe"
        r"|foundation model .*not (?:found|supported)|model .*(?:isn.t|is not) (?:available|supported)",
        "",
        "see what this account and region may use: tfkit models check",
    ),
    Rule(
        r"no resource plugin|failed to download plugin|[Ee]rror downloading plugin"
        r"|\[resource plugin .* downloading",
        "Pulumi's AWS provider is not installed and could not be fetched",
        f"go online once, or run `pulumi plugin install resource aws` {GOES_ON}",
        ToolMissing,
    ),
    Rule(
        r"unknown flag|unknown command|Minimum version requirement failed|Major version mismatch"
        r"|Please upgrade to at least version|newer version of the Pulumi CLI",
        "the Pulumi CLI does not fit Pulumi's SDK here",
        "install the CLI in the version of the SDK; `tfkit doctor` names both",
        ToolMissing,
    ),
    Rule(
        r"incorrect passphrase|passphrase must be set|unable to find either `?PULUMI_CONFIG_PASSPHRASE"
        r"|message authentication failed",
        "the secrets of the stack's state cannot be decrypted: it is another passphrase",
        "put the passphrase that the stack was made with into the file `passphrase` of the stack's folder",
    ),
    Rule(
        r"failed to save snapshot|read \"\.pulumi[/\\]+meta\.yaml\"|unable to open bucket"
        r"|could not list bucket|NoSuchBucket.*\.pulumi|\.pulumi/.*AccessDenied"
        r"|unable to check if bucket .* is accessible",
        "",
        "the place of the state cannot be read or written: check its address and the rights on it",
    ),
    Rule(
        r"cannot be deleted because it is protected|currently marked for protection"
        r"|refusing to delete protected",
        "",
        "take the protection off in the settings, run `tfkit up`, then run this again",
    ),
    Rule(
        r"AlreadyExists|AlreadyOwnedByYou|ResourceInUseException|already exists|EntityAlreadyExists",
        "",
        "it exists and the state does not know it: a run that was cut off made it, or somebody else."
        " Delete it, or take it over with `pulumi import`, and run the command again",
    ),
    Rule(
        r"is not authorized to perform|AccessDenied|UnauthorizedOperation|explicit deny",
        "",
        f"let an administrator grant this action, {GOES_ON}",
    ),
    Rule(
        r"LimitExceeded|ServiceQuotaExceeded|TooManyBuckets",
        "",
        f"a quota of the account is used up: raise it in Service Quotas {GOES_ON}",
    ),
    Rule(
        r"no such host|connection refused|i/o timeout|network is unreachable|TLS handshake timeout",
        "",
        f"check the network {GOES_ON}",
    ),
)


def translate(said: str, failures: Iterable[str] = (), errors: Iterable[str] = ()) -> TfkitError:
    """The error for whatever stopped an operation.

    `said` is what the CLI printed, `failures` are sentences on resources, `errors` what was said besides.
    """
    known = [*failures, *errors]
    message = redact(known[0] if known else gist(said))
    whole = "\n".join([*known, said])
    for rule in RULES:
        match = re.search(rule.pattern, whole)
        if match is not None:
            return rule.error(_with_detail(rule.message, whole) or message, rule.hint)
    return DeployFailed(message, f"mend the cause {GOES_ON}")


def gist(said: str) -> str:
    """The line of an output that says what went wrong: the first `error:`, else the last line."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    lines = [re.sub(r"^(code|stdout|stderr):\s*", "", line) for line in lines]
    blamed = [line for line in lines if re.match(r"error:|python inline source runtime error", line)]
    useful = blamed or [line for line in lines if line] or ["Pulumi ended without a word"]
    return (useful[0] if blamed else useful[-1]).removeprefix("error:").strip()[:600]


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without what is secret: the values given, those of the environment, and what looks so."""
    values = [*secrets, *(os.environ.get(name, "") for name in SECRET_NAMES)]
    for value in sorted((v for v in values if len(v) >= 8), key=len, reverse=True):
        text = text.replace(value, "[secret]")
    return LOOKS_SECRET.sub("[secret]", text)


def stale_lock(said: str) -> bool:
    """Whether every lock in the message is of a process of this user on this machine that is dead.

    A machine that went down in the middle of an update leaves such a lock behind.
    """
    count = LOCKS.search(said)
    locks = LOCK.findall(said)
    if count is None or not locks or int(count[1]) != len(locks):
        return False
    here, me = socket.gethostname(), getpass.getuser()
    return all(host == here and user == me and not _alive(int(pid)) for user, host, pid, _ in locks)


def _alive(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        try:
            os.kill(pid, 0)
        except PermissionError:
            return True
        return True
    return False


def _with_detail(message: str, whole: str) -> str:
    """The message, with who holds a lock where that is known."""
    lock = LOCK.search(whole)
    if not message or lock is None or "another update" not in message:
        return message
    user, host, pid, when = lock.groups()
    return f"{message}: {user}@{host}, process {pid}" + (f", since {when}" if when else "")
