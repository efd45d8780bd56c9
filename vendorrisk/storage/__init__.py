"""Where sealed files lie: evidence and reports, in a folder or an S3 bucket. It never sees a plain byte.

`open_storage(settings.storage)` at start gives a Storage; services seal with `storage.sealed` before they `put`.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from vendorrisk.storage import local, s3
from vendorrisk.storage.base import AlreadyThere, Away, BadName, BadStorage, Missing, Storage

__all__ = ["STORES", "AlreadyThere", "Away", "BadName", "BadStorage", "Missing", "Storage", "open_storage"]

STORES: dict[str, Callable[[str], Storage]] = {
    "": local.from_url,
    "file": local.from_url,
    "s3": s3.from_url,
}
"""By the scheme of the setting's URL; without one it is a folder."""


def open_storage(url: str) -> Storage:
    """The storage that `url` names: a folder (`var/files`, `file:/srv/files`) or a bucket. Raises BadStorage."""
    scheme = urlsplit(url).scheme
    try:
        make = STORES[scheme]
    except KeyError:
        raise BadStorage(f"There is no storage for {scheme}: addresses; use a folder or s3://bucket/prefix.") from None
    return make(url)
