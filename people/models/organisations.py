"""Bureaus, institutions, incubators, employers and tenant companies: one table."""

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from people.models.base import Row, one_of
from people.roles import Role, Scope

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from people.models.accounts import User


class OrganisationQuerySet(models.QuerySet["Organisation"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """Those who serve the public are public; others are seen by members and their region.

        The system administrator sees all, to hand out roles in them.
        """
        public = Q(
            kind__in=[
                Organisation.Kind.BUREAU,
                Organisation.Kind.INSTITUTION,
                Organisation.Kind.INCUBATOR,
            ]
        )
        if user.is_anonymous:
            return self.filter(public)
        if Role.SYSTEM_ADMIN in user.roles:
            return self.all()
        return self.filter(public | Q(id__in=user.organisation_ids()) | user.in_region("region_id"))


class OrganisationKind(models.TextChoices):
    BUREAU = "bureau", _("Employment bureau")
    INSTITUTION = "institution", _("Training institution")
    INCUBATOR = "incubator", _("Incubator")
    EMPLOYER = "employer", _("Employer")
    TENANT = "tenant", _("Tenant company")
    MONITORED = "monitored", _("Monitored enterprise")


class Organisation(Row):
    Kind = OrganisationKind

    kind = models.CharField(max_length=12, choices=Kind.choices)
    name = models.CharField(max_length=120)
    # Absent only for a start-up team that is not registered yet.
    credit_code = models.CharField(max_length=18, null=True, blank=True, unique=True)
    region = models.ForeignKey("people.Region", on_delete=models.PROTECT, related_name="+")
    address = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()

    objects = OrganisationQuerySet.as_manager()

    class Meta:
        constraints = [one_of("kind", OrganisationKind, "organisation_kind_is_known")]
        indexes = [
            models.Index(name="organisation_by_kind_region", fields=["kind", "region", "id"])
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def scope(self) -> Scope:
        return Scope(organisation_ids=frozenset({self.pk}), region_id=self.region_id)
