"""The buckets, listed and fetched by obstore; the one place where the read side speaks to S3.

Tried against the emulator: path style, plain HTTP, explicit keys. Nothing of the user's AWS or proxy
environment may leak into requests to the emulator, so credentials come from a provider of ours and
the proxy settings exclude loopback.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from toolkit.cloud import Cloud
from toolkit.errors import TfkitError

if TYPE_CHECKING:
    from obstore.store import ObjectStore, S3Store

_THREADS = 32

BATCH_BYTES = 8 * 1024 * 1024
"""How much is fetched, as it lies in the bucket, before it is written into the index."""

_CREDENTIALS_LAST = timedelta(minutes=5)


class Listed(NamedTuple):
    """An object that is there: its key, its size in bytes."""

    key: str
    size: int


def _credentials(cloud: Cloud) -> Callable[[], Any]:
    """What obstore asks for keys: the emulator's, or whatever the boto3 session holds at the moment."""

    def get() -> dict[str, Any]:
        expires = datetime.now(UTC) + _CREDENTIALS_LAST
        if cloud.endpoint:
            return {"access_key_id": cloud.key, "secret_access_key": cloud.secret, "expires_at": expires}
        found = cloud.session.get_credentials()
        if found is None:
            raise TfkitError("no AWS credentials were found", "run `aws configure` or `aws sso login`")
        frozen = found.get_frozen_credentials()
        return {
            "access_key_id": frozen.access_key,
            "secret_access_key": frozen.secret_key,
            "token": frozen.token,
            "expires_at": expires,
        }

    return get


def open_store(cloud: Cloud, bucket: str) -> "S3Store":
    """The bucket as an obstore store."""
    from urllib.parse import urlsplit

    from obstore.store import S3Store

    provider = _credentials(cloud)
    if not cloud.endpoint:
        provider()  # a missing login is told plainly here, and not from inside a request
        return S3Store(bucket, region=cloud.region, credential_provider=provider)
    return S3Store(
        bucket,
        region=cloud.region,
        endpoint=cloud.endpoint,
        aws_endpoint_url_s3=cloud.endpoint,
        virtual_hosted_style_request=False,
        credential_provider=provider,
        # An emulator that is down is down: obstore would try for minutes.
        retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=20)},
        client_options={
            "allow_http": True,
            # A proxy of the user's would be taken from the environment unless one is named here; the
            # one named is never used, because the only host there is is excluded.
            "proxy_url": cloud.endpoint,
            "proxy_excludes": urlsplit(cloud.endpoint).hostname or "",
        },
    )


class Bucket:
    """A bucket to read from, or the `store` that stands in for it.

    Every method raises TfkitError when the bucket cannot be reached or read.
    """

    def __init__(self, cloud: Cloud, name: str, store: "ObjectStore | None" = None) -> None:
        self.name = name
        self._store: ObjectStore = store or open_store(cloud, name)

    def _failed(self, error: Exception) -> TfkitError:
        first = str(error).strip().partition("\n")[0]
        return TfkitError(
            f"could not read s3://{self.name}: {first}",
            "is the platform up (`tfkit status`), and may you read its buckets?",
        )

    def list(self, prefix: str) -> Sequence[Listed]:
        """Every object under the prefix, which ends in `/`."""
        import obstore
        from obstore.exceptions import BaseError

        try:
            pages = obstore.list(self._store, prefix=prefix, chunk_size=1000)
            return [Listed(meta["path"], meta["size"]) for page in pages for meta in page]
        except BaseError as error:
            raise self._failed(error) from error

    def list_many(self, prefixes: Iterable[str]) -> Sequence[Listed]:
        """Every object under any of the prefixes, listed side by side."""
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(_THREADS) as pool:
            return [item for items in pool.map(self.list, prefixes) for item in items]

    def folders(self, prefix: str) -> Sequence[str]:
        """The names directly under the prefix that have something under them."""
        import obstore
        from obstore.exceptions import BaseError

        try:
            found = obstore.list_with_delimiter(self._store, prefix=prefix)["common_prefixes"]
        except BaseError as error:
            raise self._failed(error) from error
        return [path.rstrip("/").rpartition("/")[2] for path in found]

    def get(self, key: str) -> bytes | None:
        """The object's bytes, or None when there is no such object."""
        import obstore
        from obstore.exceptions import BaseError

        try:
            return bytes(obstore.get(self._store, key).bytes())
        except FileNotFoundError:
            return None
        except BaseError as error:
            raise self._failed(error) from error

    def get_batches(self, items: Sequence[Listed]) -> "Iterator[Sequence[tuple[str, bytes]]]":
        """Key and body of the objects, in batches of about BATCH_BYTES; what is gone by now is left out.

        The next batch is on its way while the caller works on this one.
        """
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(_THREADS) as pool:
            coming: deque[tuple[Sequence[Listed], Iterator[bytes | None]]] = deque()
            try:
                for batch in _batches(items):
                    coming.append((batch, pool.map(self.get, [item.key for item in batch])))
                    if len(coming) > 1:
                        yield _there(*coming.popleft())
                while coming:
                    yield _there(*coming.popleft())
            finally:
                pool.shutdown(wait=False, cancel_futures=True)


def _there(batch: Sequence[Listed], bodies: "Iterator[bytes | None]") -> Sequence[tuple[str, bytes]]:
    return [(item.key, body) for item, body in zip(batch, bodies, strict=True) if body is not None]


def _batches(items: Sequence[Listed]) -> Iterator[Sequence[Listed]]:
    start = size = 0
    for number, item in enumerate(items):
        size += item.size
        if size >= BATCH_BYTES:
            yield items[start : number + 1]
            start, size = number + 1, 0
    if start < len(items):
        yield items[start:]
