"""Bytes beside the database: what a transaction did not commit is not left on the disk."""

import secrets
import weakref
from collections.abc import Iterable
from functools import partial

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction


class _Uncommitted:
    """Lives only in the transaction's list of hooks: dropped unrun, it takes the bytes along."""

    def __init__(self, path: str) -> None:
        self._remove = weakref.finalize(self, default_storage.delete, path)

    def keep(self) -> None:
        self._remove.detach()


def put(content: bytes, folder: str) -> str:
    """Write under a random path in the folder; gone again if the transaction fails."""
    name = secrets.token_hex(16)
    path = default_storage.save(f"{folder}/{name[:2]}/{name[2:]}", ContentFile(content))
    # Django has no hook for a rollback, but it does forget the hooks for a commit.
    transaction.on_commit(_Uncommitted(path).keep)
    return path


def read(path: str) -> bytes:
    """Read everything under the path."""
    with default_storage.open(path) as stored:
        content: bytes = stored.read()
    return content


def discard(paths: Iterable[str]) -> None:
    """Delete once the transaction has committed."""
    for path in paths:
        transaction.on_commit(partial(default_storage.delete, path))
