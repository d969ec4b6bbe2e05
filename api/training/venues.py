"""Rooms and workshops."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.access import ANYONE
from api.filters import FlagFilter
from api.inputs import Form
from api.outputs import RowSerializer
from api.resource import Readable
from api.training.class_filters import caller
from api.training.ownership import institution_named
from people.roles import Role
from training import venues
from training.models import Venue

BOUNDS = {
    "radius_m": {"min_value": 1, "max_value": 100000},
    "capacity": {"min_value": 1, "max_value": 10000},
}


class VenueSerializer(RowSerializer[Venue]):
    class Meta:
        model = Venue
        fields = [
            "id",
            "institution_id",
            "name",
            "address",
            "latitude",
            "longitude",
            "radius_m",
            "capacity",
            "active",
        ]
        extra_kwargs = BOUNDS


class VenueChanges(Form):
    """Whatever is given changes; positions are WGS 84 degrees, the radius is in metres."""

    name = serializers.CharField(max_length=80, required=False)
    address = serializers.CharField(max_length=200, required=False)
    latitude = serializers.DecimalField(
        max_digits=9, decimal_places=6, min_value=-90, max_value=90, required=False
    )
    longitude = serializers.DecimalField(
        max_digits=9, decimal_places=6, min_value=-180, max_value=180, required=False
    )
    radius_m = serializers.IntegerField(min_value=1, max_value=100000, required=False)
    capacity = serializers.IntegerField(min_value=1, max_value=10000, required=False)
    active = serializers.BooleanField(required=False)


class VenueForm(VenueChanges):
    id = serializers.UUIDField(required=False)
    institution_id = serializers.UUIDField(required=False)
    name = serializers.CharField(max_length=80)
    address = serializers.CharField(max_length=200)
    latitude = serializers.DecimalField(max_digits=9, decimal_places=6, min_value=-90, max_value=90)
    longitude = serializers.DecimalField(
        max_digits=9, decimal_places=6, min_value=-180, max_value=180
    )
    capacity = serializers.IntegerField(min_value=1, max_value=10000)


class VenueFilters(filters.FilterSet):
    institution = filters.UUIDFilter(field_name="institution_id")
    active = FlagFilter()
    mine = FlagFilter(method="keep_mine", label=_("Only those of the caller's own institutions."))

    class Meta:
        model = Venue
        fields: list[str] = []

    def keep_mine(self, rows: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:  # noqa: FBT001
        if not value:
            return rows
        own = caller(self).organisation_ids(Role.INSTITUTION_ADMIN, Role.TRAINER)
        return rows.filter(institution__in=own)


class Venues(Readable):
    """Where sessions are held."""

    tag = "venues"
    noun = "venue"
    queryset = Venue.objects.select_related("institution")
    serializer_class = VenueSerializer
    filterset_class = VenueFilters
    public_seconds = 60
    may = {
        "list": ANYONE,
        "retrieve": ANYONE,
        "create": [Role.INSTITUTION_ADMIN],
        "partial_update": [Role.INSTITUTION_ADMIN],
    }

    @extend_schema(request=VenueForm, responses={201: VenueSerializer})
    def create(self, request: Request) -> Response:
        """Add a venue of one's own institution."""
        asked = self.form(VenueForm)
        institution = institution_named(self, asked.pop("institution_id", None))
        return self.answer(venues.add(institution, **asked, by=self.user, at=self.at), 201)

    @extend_schema(request=VenueChanges, responses={200: VenueSerializer})
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Change a venue; one that is not active takes no new bookings."""
        venue = self.get_object()
        self.check_version(venue)
        asked = self.form(VenueChanges)
        return self.answer(venues.amend(venue, **asked, by=self.user, at=self.at))
