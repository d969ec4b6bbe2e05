"""What an institution may teach, from a day to a day, as an officer decided."""

from datetime import date
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from people.models.base import Row, one_of
from people.roles import Role, Scope
from training.models.programmes import Occupation, SkillLevel

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from people.models import User


class AccreditationQuerySet(models.QuerySet["Accreditation"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """The institution's own, and those of one's region."""
        if user.is_anonymous:
            return self.none()
        own = user.organisation_ids(Role.INSTITUTION_ADMIN, Role.TRAINER)
        return self.filter(Q(institution__in=own) | user.in_region("institution__region_id"))

    def covering(self, first: date, last: date) -> Self:
        """Keep the approved ones that hold on every day of the period."""
        return self.filter(
            status=Accreditation.Status.APPROVED, valid_from__lte=first, valid_to__gte=last
        )


class AccreditationStatus(models.TextChoices):
    APPLIED = "applied", _("Applied")
    APPROVED = "approved", _("Approved")
    REFUSED = "refused", _("Refused")
    REVOKED = "revoked", _("Revoked")


class Accreditation(Row):
    Status = AccreditationStatus

    institution = models.ForeignKey(
        "people.Organisation", on_delete=models.PROTECT, related_name="accreditations"
    )
    occupation = models.ForeignKey(Occupation, on_delete=models.PROTECT, related_name="+")
    level = models.CharField(max_length=20, choices=SkillLevel.choices)
    valid_from = models.DateField()
    valid_to = models.DateField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.APPLIED)
    applied_by = models.ForeignKey("people.User", on_delete=models.PROTECT, related_name="+")
    applied_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        "people.User", null=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True)

    objects = AccreditationQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("status", AccreditationStatus, "accreditation_status_is_known"),
            one_of("level", SkillLevel, "accreditation_level_is_known"),
            models.CheckConstraint(
                name="accreditation_ends_after_it_starts",
                condition=Q(valid_to__gte=F("valid_from")),
            ),
            models.CheckConstraint(
                name="accreditation_is_decided_by_someone_else",
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("applied_by")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.occupation_id} {self.level}"

    @property
    def scope(self) -> Scope:
        return Scope(
            organisation_ids=frozenset({self.institution_id}),
            region_id=self.institution.region_id,
        )
