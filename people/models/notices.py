"""What a person should be told, written in the transaction that made it true."""

from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Q

from people.models.base import Row
from people.roles import Scope

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from people.models.accounts import User


class NoticeQuerySet(models.QuerySet["Notice"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """Only one's own."""
        return self.none() if user.is_anonymous else self.filter(person_id=user.person_id)

    def unread(self) -> Self:
        return self.filter(read_at__isnull=True)


class Notice(Row):
    """A code and its facts; the sentence is made in the reader's language."""

    person = models.ForeignKey("people.Person", on_delete=models.CASCADE, related_name="notices")
    code = models.CharField(max_length=60)
    facts: Any = models.JSONField(default=dict)
    object_id = models.UUIDField(null=True)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(name="notice_by_person", fields=["person", "id"]),
            models.Index(
                name="notice_unread", fields=["person"], condition=Q(read_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def scope(self) -> Scope:
        return Scope(person_id=self.person_id)
