"""The catalogue of programmes."""

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import rest_framework as filters

from api.access import ANYONE
from api.filters import FlagFilter
from api.outputs import RowSerializer
from api.resource import Readable
from api.training.occupations import OccupationSerializer
from training.models import Programme
from training.models.programmes import SkillLevel


def of_occupation(column: str, given: str) -> Q:
    """Match an occupation by its id or by its code."""
    try:
        return Q(**{f"{column}_id": UUID(given)})
    except ValueError:
        return Q(**{f"{column}__code": given})


class OccupationFilter(filters.CharFilter):
    """An occupation's id or its code."""

    def __init__(self, field_name: str, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Id of an occupation, or its code such as 6-29-03-01."))
        super().__init__(field_name=field_name, max_length=36, **kwargs)

    def filter(self, qs: QuerySet[Any], value: str) -> QuerySet[Any]:
        return qs.filter(of_occupation(self.field_name, value)) if value else qs


class ProgrammeSerializer(RowSerializer[Programme]):
    expandable = {"occupation": OccupationSerializer}

    class Meta:
        model = Programme
        fields = ["id", "occupation_id", "level", "kind", "name", "hours", "description", "active"]
        extra_kwargs = {"hours": {"min_value": 0, "max_value": 32767}}


class ProgrammeFilters(filters.FilterSet):
    occupation = OccupationFilter("occupation")
    level = filters.ChoiceFilter(choices=SkillLevel.choices)
    kind = filters.ChoiceFilter(choices=Programme.Kind.choices)
    active = FlagFilter()

    class Meta:
        model = Programme
        fields: list[str] = []


class Programmes(Readable):
    """What can be taught: an occupation, a level and a number of class hours."""

    tag = "catalogue"
    noun = "programme"
    queryset = Programme.objects.all()
    serializer_class = ProgrammeSerializer
    filterset_class = ProgrammeFilters
    may = {"list": ANYONE, "retrieve": ANYONE}
    ordering = ("name", "id")
    public_seconds = 3600
