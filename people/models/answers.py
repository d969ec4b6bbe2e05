"""Answers kept under an idempotency key, so that a retried request is not a second one."""

from typing import Any

from django.db import models

from people.models.base import Row


class StoredAnswer(Row):
    """The 2xx answer to one caller's key, kept for 30 days."""

    user = models.ForeignKey("people.User", on_delete=models.CASCADE, related_name="+")
    key = models.UUIDField()
    # SHA-256 of method, path and body: the same key with another request is a mistake.
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    headers: Any = models.JSONField(default=dict)
    body = models.BinaryField()
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="answer_once_per_key", fields=["user", "key"]),
        ]

    def __str__(self) -> str:
        return str(self.key)
