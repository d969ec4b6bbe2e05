"""The catalogue of occupations."""

from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import rest_framework as filters

from api.access import ANYONE
from api.outputs import RowSerializer
from api.resource import Readable
from training.models import Occupation


class OccupationSerializer(RowSerializer[Occupation]):
    class Meta:
        model = Occupation
        fields = ["id", "code", "name"]


class OccupationFilters(filters.FilterSet):
    code = filters.CharFilter(max_length=20, label=_("Code, such as 6-29-03-01."))
    name = filters.CharFilter(max_length=80, method="keep_named", label=_("Part of the name."))

    class Meta:
        model = Occupation
        fields: list[str] = []

    def keep_named(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(Q(name__icontains=value))


class Occupations(Readable):
    """Occupations and work types of the national classification."""

    tag = "catalogue"
    noun = "occupation"
    queryset = Occupation.objects.all()
    serializer_class = OccupationSerializer
    filterset_class = OccupationFilters
    may = {"list": ANYONE, "retrieve": ANYONE}
    ordering = ("code", "id")
    public_seconds = 3600
