"""Employment spells: people report their jobs and when they end."""

from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.access import SIGNED_IN
from api.filters import FlagFilter
from api.inputs import CreditCodeField, Form
from api.outputs import RowSerializer
from api.resource import Readable
from people import employment
from people.models import EmploymentSpell
from people.refusals import IdTaken, NotYours, WrongStatus
from people.roles import Role

MOST_YUAN = 9_999_999_999


class SpellSerializer(RowSerializer[EmploymentSpell]):
    employment_form = serializers.ChoiceField(
        EmploymentSpell.Form.choices, source="form", read_only=True
    )
    monthly_wage = serializers.DecimalField(
        max_digits=12,
        decimal_places=2,
        min_value=0,
        max_value=MOST_YUAN,
        read_only=True,
        allow_null=True,
    )

    class Meta:
        model = EmploymentSpell
        fields = [
            "id",
            "person_id",
            "employer_id",
            "employer_name",
            "employment_form",
            "job_title",
            "starts_on",
            "ends_on",
            "monthly_wage",
            "status",
            "reported_by_id",
            "created_at",
        ]


class SpellForm(Form):
    id = serializers.UUIDField(required=False)
    employment_form = serializers.ChoiceField(EmploymentSpell.Form.choices)
    employer_name = serializers.CharField(max_length=120)
    employer_credit_code = CreditCodeField(required=False)
    job_title = serializers.CharField(max_length=60, required=False)
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(required=False, allow_null=True)
    monthly_wage = serializers.DecimalField(
        max_digits=12,
        decimal_places=2,
        min_value=0,
        max_value=MOST_YUAN,
        required=False,
        allow_null=True,
        help_text="Yuan a month; null when not told.",
    )


class EndForm(Form):
    ends_on = serializers.DateField()


class SpellFilters(filters.FilterSet):
    mine = FlagFilter(method="filter_mine", label=_("Only one's own."))
    person = filters.UUIDFilter(field_name="person_id")
    employer = filters.UUIDFilter(field_name="employer_id")
    status = filters.ChoiceFilter(choices=EmploymentSpell.Status.choices)
    on = filters.DateFilter(method="filter_on", label=_("Those that count as work on this day."))

    class Meta:
        model = EmploymentSpell
        fields: list[str] = []

    def filter_mine(self, queryset: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:  # noqa: FBT001
        return queryset.filter(person_id=self.request.user.person_id) if value else queryset

    def filter_on(self, queryset: Any, name: str, value: date) -> QuerySet[Any]:
        rows: QuerySet[Any] = queryset.covering(value)
        return rows


class EmploymentSpells(Readable):
    """A job from a day to a day; never a tick box."""

    tag = "employment"
    noun = "employment spell"
    queryset = EmploymentSpell.objects.select_related("person")
    serializer_class = SpellSerializer
    filterset_class = SpellFilters
    may = {
        "list": SIGNED_IN,
        "retrieve": SIGNED_IN,
        "create": [Role.TRAINEE],
        "end": [Role.TRAINEE, Role.OFFICER],
    }
    refuses = {
        "create": [
            NotYours,
            employment.SpellDatesWrong,
            IdTaken,
            employment.SpellExists,
        ],
        "end": [WrongStatus, employment.SpellEnded, employment.SpellDatesWrong],
    }
    ordering = ("-starts_on", "-id")

    @extend_schema(request=SpellForm, responses={201: SpellSerializer})
    def create(self, request: Request) -> Response:
        """Report a job of one's own.

        It stays `reported` until evidence confirms it. An employer is matched by its credit code.
        The same job again under the same `id` answers the stored row.
        """
        asked = self.form(SpellForm)
        person = self.user.person
        if person is None:
            raise NotYours
        given = asked.pop("id", None)
        job = employment.Job(form=asked.pop("employment_form"), **asked)
        spell = employment.report(person, job, by=self.user, at=self.at, id=given)
        return self.answer(spell, 201)

    @extend_schema(request=EndForm, responses={200: SpellSerializer})
    def end(self, request: Request, pk: UUID) -> Response:
        """Note the last day of a job."""
        spell = self.get_object()
        asked = self.form(EndForm)
        return self.answer(employment.end(spell, by=self.user, at=self.at, **asked))
