"""Demonstration data: one invented city, always the same, dated relative to the day of loading."""

import uuid

NAMESPACE = uuid.UUID("5b0f6f2e-0000-4000-8000-716968616e67")
PASSWORD = "qihang-demo-2026"  # noqa: S105  # printed in the README: it opens invented data only


def uid(*names: object) -> uuid.UUID:
    """Name a demonstration row, the same on every machine."""
    return uuid.uuid5(NAMESPACE, "/".join(map(str, names)))
