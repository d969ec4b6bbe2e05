"""What was done, by whom, to what: written by the verbs, in the same transaction."""

from typing import TYPE_CHECKING, Any, Self

from django.db import models

from people.ids import uuid7
from people.roles import Role

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from people.models.accounts import User


class JournalQuerySet(models.QuerySet["JournalEntry"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """Auditors read what concerns their region."""
        if user.is_anonymous:
            return self.none()
        return self.filter(user.in_region("region_id", Role.AUDITOR))


class JournalEntry(models.Model):
    """One dotted verb on one object. Never updated, never deleted."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    at = models.DateTimeField()
    verb = models.CharField(max_length=60)
    object_id = models.CharField(max_length=36)
    # Empty when time itself acted (an offer lapsed, a window opened).
    by_id = models.UUIDField(null=True)
    organisation_id = models.UUIDField(null=True)
    region_id = models.CharField(max_length=12, blank=True)
    request_id = models.CharField(max_length=36, blank=True)
    facts: Any = models.JSONField(default=dict)

    objects = JournalQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(name="journal_by_object", fields=["object_id", "id"]),
            models.Index(name="journal_by_region", fields=["region_id", "id"]),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.object_id}"
