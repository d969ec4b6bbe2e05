"""Closed filters: only declared parameters, never an empty value, never an ORM look-up."""

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import rest_framework as filters
from rest_framework.exceptions import ErrorDetail
from rest_framework.request import Request

from api.problems import Problem, said
from people.roles import subtree


class ClosedFilters(filters.DjangoFilterBackend):
    """django-filter with refusals in our shape; ``Resource`` refuses unknown names first."""

    raise_exception = False

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> Any:
        filterset = self.get_filterset(request, queryset, view)
        if filterset is None:
            return queryset
        if not filterset.is_valid():
            raise Problem(
                400,
                errors=[
                    {
                        "parameter": name,
                        "code": error.code or "invalid",
                        "detail": said(error.code or "", detail),
                    }
                    for name, found in filterset.errors.as_data().items()
                    for error in found
                    for detail in error.messages
                ],
            )
        return filterset.qs


class RegionFilter(filters.CharFilter):
    """A 12-digit code: the region and everything inside it."""

    def __init__(self, field_name: str, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("12-digit region code; its whole subtree matches."))
        super().__init__(field_name=field_name, **kwargs)

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        if not value:
            return qs
        if not (len(value) == 12 and value.isascii() and value.isdigit()):
            detail = ErrorDetail(str(_("A 12-digit region code.")), code="invalid")
            raise Problem(
                400, errors=[{"parameter": "region", "code": "invalid", "detail": str(detail)}]
            )
        low, high = subtree(value)
        return qs.filter(Q(**{f"{self.field_name}__gte": low, f"{self.field_name}__lt": high}))


class DayFilter(filters.DateFilter):
    """A local day, bounded so that no arithmetic on it can leave the calendar."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, validators=[_in_calendar], **kwargs)


def _in_calendar(day: date) -> None:
    if not 1900 <= day.year <= 2200:
        raise ValidationError(_("A day from 1900 to 2200."), code="invalid")


class FlagField(forms.Field):
    """Reads ``true`` or ``false``; anything else is refused, not taken for no."""

    def to_python(self, value: Any) -> bool | None:
        if value in self.empty_values:
            return None
        if value not in {"true", "false"}:
            raise ValidationError(_("Either true or false."), code="invalid")
        return bool(value == "true")


class FlagFilter(filters.BooleanFilter):
    """A strict yes or no; with ``method`` for flags such as ``mine``."""

    field_class = FlagField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # The usual widget reads the words itself, and reads nonsense as "not asked".
        kwargs.setdefault("widget", forms.TextInput)
        super().__init__(*args, **kwargs)
