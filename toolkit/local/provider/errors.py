"""The provider's one error, and the one place where botocore's errors become it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from toolkit.errors import DeployFailed

GONE = frozenset(
    {
        "404",
        "EntityNotFoundException",
        "NoSuchBucket",
        "NoSuchBucketPolicy",
        "NoSuchConfiguration",
        "NoSuchEntity",
        "NoSuchLifecycleConfiguration",
        "NoSuchPublicAccessBlockConfiguration",
        "NotFound",
        "NotFoundException",
        "ObjectLockConfigurationNotFoundError",
        "OwnershipControlsNotFoundError",
        "ParameterNotFound",
        "QueueDoesNotExist",
        "AWS.SimpleQueueService.NonExistentQueue",
        "RepositoryNotFoundException",
        "LifecyclePolicyNotFoundException",
        "ResourceNotFound",
        "ResourceNotFoundException",
        "ServerSideEncryptionConfigurationNotFoundError",
        "DashboardNotFoundError",
    }
)
"""The codes by which services say that something is not there (botocore's models, S3's list of errors)."""


class ProviderError(DeployFailed):
    """The emulator refused a call, or a program asked for what this provider does not know."""


class Gone(LookupError):
    """What was to be changed is not there."""


Found = TypeVar("Found")


def there(found: Found | None) -> Found:
    """What was found; raises `Gone`, which `translated` explains, where it was not."""
    if found is None:
        raise Gone
    return found


def code(error: ClientError) -> str:
    """The error code that the service gave, `Unknown` where it gave none."""
    return str(error.response.get("Error", {}).get("Code", "Unknown"))


def is_gone(error: ClientError) -> bool:
    """Whether the service says that what was asked for does not exist."""
    return code(error) in GONE


@contextmanager
def gone_is_fine() -> Iterator[None]:
    """Ends its block quietly when a service says that something is not there; other errors pass."""
    try:
        yield
    except ClientError as error:
        if not is_gone(error):
            raise


@contextmanager
def translated(token: str, name: str) -> Iterator[None]:
    """Turns botocore's errors into `ProviderError`: where (type, name, call) and what (code, message)."""
    try:
        yield
    except ClientError as error:
        said = error.response.get("Error", {}).get("Message", "")
        message = f"{token} {name}: {error.operation_name} was refused: {code(error)}: {said}"
        raise ProviderError(message) from error
    except Gone as error:
        message = f"{token} {name}: it is gone from the emulator"
        raise ProviderError(message, "`tfkit up` makes it again once the state is refreshed") from error
    except BotoCoreError as error:
        raise ProviderError(f"{token} {name}: {error}") from error
