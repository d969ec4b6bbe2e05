"""Administrative regions as dated rows under their 12-digit statistical division code."""

from datetime import date
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from people.models.base import one_of
from people.roles import subtree

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from people.models.accounts import User


class RegionQuerySet(models.QuerySet["Region"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """Regions are public."""
        return self

    def valid_on(self, day: date) -> Self:
        return self.filter(valid_from__lte=day).filter(
            Q(valid_to__isnull=True) | Q(valid_to__gte=day)
        )

    def within(self, code: str) -> Self:
        low, high = subtree(code)
        return self.filter(code__gte=low, code__lt=high)


class RegionLevel(models.TextChoices):
    PROVINCE = "province", _("Province")
    CITY = "city", _("City")
    COUNTY = "county", _("County")
    TOWNSHIP = "township", _("Township")
    VILLAGE = "village", _("Village or community")


class Region(models.Model):
    Level = RegionLevel

    code = models.CharField(primary_key=True, max_length=12)
    name = models.CharField(max_length=80)
    level = models.CharField(max_length=8, choices=Level.choices)
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    successor = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="predecessors"
    )

    objects = RegionQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("level", RegionLevel, "region_level_is_known"),
            models.CheckConstraint(
                name="region_code_is_twelve_digits", condition=Q(code__regex=r"^[0-9]{12}$")
            ),
        ]

    def __str__(self) -> str:
        return self.name
