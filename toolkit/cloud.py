"""The command line's one gateway to AWS: whose account, which region, which endpoint.

On the local target every client speaks to the emulator with the root key of that emulator, and nothing is
read from the user's AWS configuration, so that "local" cannot touch a real account by accident.
"""

from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import boto3
    from botocore.config import Config

LOCAL_ACCOUNT = "000000000000"

NO_KEY = "none"
"""What signs where nobody checks: an address where nothing answers, or an endpoint of a test's own."""

NOWHERE = "http://127.0.0.1:9"
"""The endpoint of a plan that calls no cloud: the port is `discard`, where nothing answers."""


@dataclass(frozen=True)
class Cloud:
    """Where the commands go. `endpoint` is empty on AWS and the emulator's address on the local target.

    `key` and `secret` are that emulator's root user's; without an endpoint they are not looked at.
    """

    target: str
    region: str
    account: str
    partition: str = "aws"
    profile: str = ""
    endpoint: str = ""
    key: str = NO_KEY
    secret: str = field(default=NO_KEY, repr=False)
    _making: Lock = field(default_factory=Lock, init=False, repr=False, compare=False)

    @property
    def reachable(self) -> bool:
        """Whether there is anything to call."""
        return self.endpoint != NOWHERE

    @cached_property
    def session(self) -> "boto3.Session":
        """The boto3 session; made on first use because importing boto3 takes a third of a second."""
        import boto3

        if self.endpoint:
            return boto3.Session(
                aws_access_key_id=self.key, aws_secret_access_key=self.secret, region_name=self.region
            )
        return boto3.Session(profile_name=self.profile or None, region_name=self.region or None)

    def client(self, service: str) -> Any:
        """The boto3 client for the service: made once, and safe to share between threads, as boto3's are."""
        with self._making:  # a session is not
            if service not in self._clients:
                self._clients[service] = self._make(service)
            return self._clients[service]

    @cached_property
    def _clients(self) -> dict[str, Any]:
        return {}

    def _make(self, service: str) -> Any:
        session: Any = self.session  # its overloads name every service; ours is a variable
        return session.client(service, endpoint_url=self.endpoint or None, config=self._config())

    def _config(self) -> "Config":
        """How its clients behave."""
        from botocore.config import Config

        return Config(
            retries={"mode": "standard", "max_attempts": 4},
            connect_timeout=10,
            read_timeout=60,
            s3={"addressing_style": "path"} if self.endpoint else None,
            # The emulator is on loopback: a proxy of the user's must not see these requests.
            proxies={} if self.endpoint else None,
        )
