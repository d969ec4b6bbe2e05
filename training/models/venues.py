"""Rooms and workshops where sessions are held, with their position."""

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

from people.models.base import Row
from people.roles import Scope

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from people.models import User


class VenueQuerySet(models.QuerySet["Venue"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """An address is not a secret: a class shows where it is held."""
        return self


class Venue(Row):
    institution = models.ForeignKey(
        "people.Organisation", on_delete=models.PROTECT, related_name="venues"
    )
    name = models.CharField(max_length=80)
    address = models.CharField(max_length=200)
    # WGS 84 degrees.
    latitude = models.DecimalField(max_digits=9, decimal_places=6)
    longitude = models.DecimalField(max_digits=9, decimal_places=6)
    # Metres around the position within which a check-in raises no flag.
    radius_m = models.PositiveIntegerField(default=200)
    capacity = models.PositiveSmallIntegerField()
    active = models.BooleanField(default=True)

    objects = VenueQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="venue_is_on_earth",
                condition=Q(latitude__range=(-90, 90)) & Q(longitude__range=(-180, 180)),
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
