"""Those who teach at an institution."""

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

from people.models.base import Row
from people.roles import Role, Scope

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from people.models import User


class TrainerQuerySet(models.QuerySet["Trainer"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """The institution's own, and those of one's region."""
        if user.is_anonymous:
            return self.none()
        own = user.organisation_ids(Role.INSTITUTION_ADMIN, Role.TRAINER)
        return self.filter(Q(institution__in=own) | user.in_region("institution__region_id"))


class Trainer(Row):
    institution = models.ForeignKey(
        "people.Organisation", on_delete=models.PROTECT, related_name="trainers"
    )
    # The account through which the trainer takes attendance, once there is one.
    user = models.ForeignKey(
        "people.User", null=True, blank=True, on_delete=models.PROTECT, related_name="trainers"
    )
    name = models.CharField(max_length=60)
    qualification = models.CharField(max_length=200, blank=True)
    active = models.BooleanField(default=True)

    objects = TrainerQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="trainer_once_per_institution",
                fields=["institution", "user"],
                condition=Q(user__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def scope(self) -> Scope:
        return Scope(
            organisation_ids=frozenset({self.institution_id}),
            region_id=self.institution.region_id,
        )
