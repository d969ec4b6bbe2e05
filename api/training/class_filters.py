"""How the list of classes is narrowed."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import rest_framework as filters
from rest_framework.exceptions import NotAuthenticated

from api.filters import FlagFilter, RegionFilter
from api.training.programmes import OccupationFilter
from people.models import User
from training.models import ClassSession, Enrolment, TrainingClass
from training.models.enrolments import LIVE

NEAR_KM = 50.0
# What somebody was, or may yet be, taught in; not what they gave up or were refused.
OWN = [*LIVE, Enrolment.Status.COMPLETED, Enrolment.Status.FAILED, Enrolment.Status.NO_SHOW]


def caller(filterset: filters.FilterSet) -> User:
    """Find whose ``mine`` it is.

    :raises NotAuthenticated: for the public
    """
    user = filterset.request.user
    if not isinstance(user, User):
        raise NotAuthenticated
    return user


class PositionField(forms.Field):
    """Two decimal degrees, WGS 84: latitude, then longitude."""

    def to_python(self, value: Any) -> tuple[float, float] | None:
        if value in self.empty_values:
            return None
        number = r"(-?[0-9]{1,3}(?:\.[0-9]{1,10})?)"
        match = re.fullmatch(rf"{number},{number}", value, re.ASCII)
        if match is None:
            raise ValidationError(_("Latitude, a comma, longitude."), code="invalid")
        latitude, longitude = float(match[1]), float(match[2])
        if abs(latitude) > 90 or abs(longitude) > 180:
            raise ValidationError(_("There is no such place on earth."), code="invalid")
        return latitude, longitude


class PositionFilter(filters.CharFilter):
    field_class = PositionField


class ClassFilters(filters.FilterSet):
    status = filters.ChoiceFilter(choices=TrainingClass.Status.choices)
    region = RegionFilter("region_id")
    occupation = OccupationFilter("programme__occupation")
    programme = filters.UUIDFilter(field_name="programme_id")
    institution = filters.UUIDFilter(field_name="institution_id")
    starts_after = filters.DateFilter(
        field_name="starts_on", lookup_expr="gte", label=_("First day on this day or later.")
    )
    starts_before = filters.DateFilter(
        field_name="starts_on", lookup_expr="lte", label=_("First day on this day or earlier.")
    )
    near = PositionFilter(
        method="keep_near",
        label=_(
            "Latitude and longitude in WGS 84 degrees, such as 27.83,113.13: keeps the classes"
            " whose venue is within 50 km, and tells the distance. The order stays the same."
        ),
    )
    mine = FlagFilter(
        method="keep_mine", label=_("Only classes that the caller is in, waits for or teaches.")
    )

    class Meta:
        model = TrainingClass
        fields: list[str] = []

    def keep_near(self, rows: Any, name: str, value: tuple[float, float]) -> QuerySet[Any]:
        found: QuerySet[Any] = rows.near(*value, within_km=NEAR_KM)
        return found

    def keep_mine(self, rows: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:  # noqa: FBT001
        if not value:
            return rows
        user = caller(self)
        taught = ClassSession.objects.filter(trainer__user=user).values("training_class")
        if user.person_id is None:
            return rows.filter(pk__in=taught)
        joined = Enrolment.objects.filter(person=user.person_id, status__in=OWN)
        return rows.filter(Q(pk__in=joined.values("training_class")) | Q(pk__in=taught))
