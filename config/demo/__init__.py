"""Demonstration data: one invented city, always the same, dated relative to the day of loading."""

import uuid

NAMESPACE = uuid.UUID("5b0f6f2e-0000-4000-8000-716968616e67")
PASSWORD = "qihang-demo-2026"  # noqa: S105  # printed in the README: it opens invented data only


# 2026-01-01 as the 48 bits of milliseconds with which a UUIDv7 begins.
EPOCH = 1_767_225_600_000


def uid(*names: object) -> uuid.UUID:
    """Name a demonstration row by a UUIDv7 that is the same on every machine."""
    drawn = uuid.uuid5(NAMESPACE, "/".join(map(str, names))).int & (1 << 80) - 1
    return uuid.UUID(int=EPOCH << 80 | drawn & ~(0xF << 76) | 0x7 << 76)
