"""The provider's one gateway to the emulator: the boto3 clients, made once each and shared by all threads."""

from threading import Lock
from typing import Any

from toolkit.cloud import LOCAL_ACCOUNT, NO_KEY, Cloud


class Clients:
    """Where the emulator is, its root key, and a boto3 client for each of its services.

    Making a client is not thread-safe in boto3, using one is (boto3 guide, "Multithreading"); so the
    clients are made under a lock and then shared.
    """

    def __init__(self, endpoint: str, region: str, key: str = NO_KEY, secret: str = NO_KEY) -> None:
        self.region = region
        self.account = LOCAL_ACCOUNT
        self.partition = "aws"
        self._cloud = Cloud(
            target="local", region=region, account=LOCAL_ACCOUNT, endpoint=endpoint, key=key, secret=secret
        )
        self._lock = Lock()
        self._made: dict[str, Any] = {}

    def of(self, service: str) -> Any:
        """The client of a service; raises what boto3 raises for a service that it does not know."""
        client = self._made.get(service)
        if client is None:
            with self._lock:
                client = self._made.get(service)
                if client is None:
                    client = self._made[service] = self._cloud.client(service)
        return client
