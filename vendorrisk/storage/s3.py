"""A bucket of sealed files, at Amazon or anything that speaks S3; the storage of a service on several machines.

The keys come from where S3 tools look for them (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, or the machine's own role).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qs, urlsplit

from vendorrisk.storage.base import AlreadyThere, Away, BadStorage, Missing, checked

if TYPE_CHECKING:
    from obstore import GetResult
    from obstore.store import S3Config, S3Store

_CHUNK = 64 * 1024
_OPTIONS = frozenset({"endpoint", "region"})


class S3Storage:
    """Objects under one prefix of one bucket."""

    def __init__(self, store: S3Store) -> None:
        self._store = store

    def put(self, name: str, chunks: Iterable[bytes]) -> None:
        """One request with "only if there is none": the object is there as a whole or not at all."""
        import obstore
        from obstore.exceptions import AlreadyExistsError, BaseError

        body = b"".join(chunks)  # 25 MB at most; a multipart upload could not say "only if there is none"
        try:
            obstore.put(self._store, checked(name), body, mode="create", use_multipart=False)
        except AlreadyExistsError:
            raise AlreadyThere(name) from None
        except (BaseError, FileNotFoundError) as error:
            raise _away(error) from error

    def get(self, name: str) -> Iterator[bytes]:
        """Ask for the object at once, read it as asked for."""
        import obstore
        from obstore.exceptions import BaseError

        try:
            found = obstore.get(self._store, checked(name))
        except FileNotFoundError as error:
            if _no_bucket(error):
                raise _away(error) from error
            raise Missing(name) from None
        except BaseError as error:
            raise _away(error) from error
        return _chunks(found)

    def delete(self, name: str) -> None:
        """Remove the object, if there is one."""
        import obstore

        try:
            obstore.delete(self._store, checked(name))
        except FileNotFoundError as error:
            if _no_bucket(error):
                raise _away(error) from error

    def probe(self) -> None:
        """Put an object, and remove it again. Raises BadStorage."""
        import obstore
        from obstore.exceptions import BaseError

        name = f"probe-{secrets.token_hex(8)}"
        try:
            obstore.put(self._store, name, b"probe", use_multipart=False)
            obstore.delete(self._store, name)
        except (BaseError, OSError) as error:
            raise BadStorage(f"The bucket cannot be written ({type(error).__name__}).") from None


def _chunks(found: GetResult) -> Iterator[bytes]:
    from obstore.exceptions import BaseError

    try:
        for chunk in found.stream(min_chunk_size=_CHUNK):
            yield bytes(chunk)
    except BaseError as error:
        raise _away(error) from error


def _no_bucket(error: FileNotFoundError) -> bool:
    """Whether not only the object is missing: a setting that is wrong must not be taken for files that were lost."""
    return "NoSuchBucket" in str(error)


def _away(error: Exception) -> Away:
    # The library says it in words only: what the server answered stands among them.
    if isinstance(error, FileNotFoundError):
        return Away("there is no such bucket")
    is_full = any(sign in str(error) for sign in ("507", "StorageFull", "QuotaExceeded"))
    return Away(f"the bucket does not answer ({type(error).__name__})", is_full=is_full)


def from_url(url: str) -> S3Storage:
    """The storage in `s3://bucket/prefix?region=…&endpoint=https://…`. Raises BadStorage."""
    from obstore.store import S3Store  # here, because only who uses a bucket should pay for it at start

    parts = urlsplit(url)
    options = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    if not parts.hostname or not options.keys() <= _OPTIONS:
        raise BadStorage("Write the bucket as s3://bucket/prefix?region=eu-central-1 (&endpoint=https://… if need be).")
    return S3Storage(
        S3Store(
            parts.netloc,
            prefix=parts.path.strip("/") or None,
            client_options={"allow_http": options.get("endpoint", "").startswith("http://"), "timeout": "30s"},
            config=cast("S3Config", options),
            # A person waits for the answer: two more tries, and then the truth.
            retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=10)},
        )
    )
