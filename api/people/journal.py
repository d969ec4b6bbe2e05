"""The journal, for auditors: who did what to which row, and when."""

from datetime import date, timedelta

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import rest_framework as filters
from rest_framework import serializers

from api.filters import DayFilter
from api.outputs import RowSerializer
from api.resource import Listed
from people.days import midnight
from people.models import JournalEntry
from people.roles import Role


class JournalEntrySerializer(RowSerializer[JournalEntry]):
    facts = serializers.DictField(read_only=True)

    class Meta:
        model = JournalEntry
        fields = [
            "id",
            "at",
            "verb",
            "object_id",
            "by_id",
            "organisation_id",
            "region_id",
            "request_id",
            "facts",
        ]


class JournalFilters(filters.FilterSet):
    verb = filters.CharFilter(max_length=60)
    object = filters.CharFilter(field_name="object_id", max_length=36)
    # ``from`` is a word of the language and cannot be an attribute.
    locals()["from"] = DayFilter(method="since", label=_("From this local day on."))
    to = DayFilter(method="until", label=_("Up to and including this local day."))

    class Meta:
        model = JournalEntry
        fields: list[str] = []

    def since(self, rows: QuerySet[JournalEntry], _name: str, day: date) -> QuerySet[JournalEntry]:
        return rows.filter(at__gte=midnight(day))

    def until(self, rows: QuerySet[JournalEntry], _name: str, day: date) -> QuerySet[JournalEntry]:
        return rows.filter(at__lt=midnight(day) + timedelta(days=1))


class Journal(Listed):
    """What was done in the auditor's region, the newest first."""

    tag = "journal"
    noun = "journal entry"
    queryset = JournalEntry.objects.all()
    serializer_class = JournalEntrySerializer
    filterset_class = JournalFilters
    may = {"list": [Role.AUDITOR]}
    ordering = ("-id",)
