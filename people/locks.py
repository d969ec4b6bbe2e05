"""Queueing on a name where there is no row yet that could be locked."""

import hashlib

from django.db import connection


def hold(name: str) -> None:
    """Let only one transaction at a time hold the name, until it ends.

    SQLite needs nothing: its transactions begin IMMEDIATE, so writers queue already.
    """
    if connection.vendor != "postgresql":
        return
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(digest, "big", signed=True)]
        )
