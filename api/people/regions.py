"""The tree of regions, one level at a time."""

from django_filters import rest_framework as filters

from api.access import ANYONE
from api.outputs import RowSerializer
from api.resource import Readable
from people.models import Region


class RegionSerializer(RowSerializer[Region]):
    class Meta:
        model = Region
        fields = ["code", "name", "level", "parent_id", "valid_from", "valid_to", "successor_id"]


class RegionFilters(filters.FilterSet):
    parent = filters.CharFilter(field_name="parent_id", max_length=12)
    level = filters.ChoiceFilter(choices=Region.Level.choices)

    class Meta:
        model = Region
        fields: list[str] = []


class Regions(Readable):
    """Administrative regions under their 12-digit codes."""

    tag = "regions"
    noun = "region"
    queryset = Region.objects.all()
    serializer_class = RegionSerializer
    filterset_class = RegionFilters
    may = {"list": ANYONE, "retrieve": ANYONE}
    ordering = ("code",)
    public_seconds = 3600
