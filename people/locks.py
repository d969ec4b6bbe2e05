"""Queueing on a name where there is no row yet that could be locked."""

import hashlib

from django.db import connection


def _number(name: str) -> int:
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def hold(name: str) -> None:
    """Let only one transaction at a time hold the name, until it ends.

    SQLite needs nothing: its transactions begin IMMEDIATE, so writers queue already.
    """
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_number(name)])


def try_hold(name: str) -> bool:
    """Do the same without waiting; tell whether nobody else holds the name."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_number(name)])
        return bool(cursor.fetchone()[0])
