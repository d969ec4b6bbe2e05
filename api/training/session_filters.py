"""How the list of sessions is narrowed."""

from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext_lazy as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema_field

from api.filters import FlagFilter
from api.training.class_filters import caller
from people.days import midnight
from training.models import ClassSession

EDGE = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2}))?$"


class EdgeField(forms.Field):
    """A local day, or a moment with its offset."""

    def to_python(self, value: Any) -> date | datetime | None:
        if value in self.empty_values:
            return None
        try:
            edge = parse_date(value) or parse_datetime(value)
        except ValueError:
            edge = None
        naive = isinstance(edge, datetime) and edge.tzinfo is None
        if edge is None or naive or not 1900 <= edge.year <= 2200:
            raise ValidationError(_("A day, or a time with its offset."), code="invalid")
        return edge


@extend_schema_field({"type": "string", "maxLength": 40, "pattern": EDGE})
class EdgeFilter(filters.CharFilter):
    field_class = EdgeField


def opening(edge: date | datetime, *, days: int) -> datetime:
    """Turn a local day, and so many days on, into its first moment; a moment stays itself."""
    if isinstance(edge, datetime):
        return edge
    return midnight(edge + timedelta(days=days))


class SessionFilters(filters.FilterSet):
    mine = FlagFilter(
        method="keep_mine", label=_("Only sessions that the caller attends or teaches.")
    )
    to = EdgeFilter(
        method="keep_to",
        label=_("Begins before: a local day (which is included) or a time with its offset."),
    )
    training_class = filters.UUIDFilter(field_name="training_class_id")
    status = filters.ChoiceFilter(choices=ClassSession.Status.choices)

    class Meta:
        model = ClassSession
        fields: list[str] = []

    def keep_mine(self, rows: Any, name: str, value: bool) -> QuerySet[Any]:  # noqa: FBT001
        found: QuerySet[Any] = rows.of(caller(self)) if value else rows
        return found

    def keep_from(self, rows: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        return rows.filter(Q(ends_at__gt=opening(value, days=0)))

    def keep_to(self, rows: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        return rows.filter(Q(starts_at__lt=opening(value, days=1)))


# `from` is a word of Python, so it cannot be declared as a class attribute.
SessionFilters.base_filters["from"] = EdgeFilter(
    method="keep_from",
    label=_("Ends after: the beginning of a local day, or a time with its offset."),
)
