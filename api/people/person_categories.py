"""The categories a person belongs to, as declared and as recognised."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.inputs import Form, wrong
from api.outputs import RowSerializer
from api.resource import Listed
from people import person_categories
from people.models import Person, PersonCategory, StoredFile
from people.roles import Role


class PersonCategorySerializer(RowSerializer[PersonCategory]):
    class Meta:
        model = PersonCategory
        fields = [
            "id",
            "person_id",
            "category",
            "valid_from",
            "valid_to",
            "recognised_by_id",
            "evidence_id",
        ]


class RecogniseForm(Form):
    category = serializers.ChoiceField(PersonCategory.Category.choices)
    valid_from = serializers.DateField()
    valid_to = serializers.DateField(required=False, allow_null=True)
    evidence_id = serializers.UUIDField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("valid_to") and attrs["valid_to"] < attrs["valid_from"]:
            raise wrong("valid_to", "invalid", _("It ends before it begins."))
        return attrs


class PersonCategories(Listed):
    """Categories of one person; `recognised_by_id` is null while only the person says so."""

    tag = "persons"
    noun = "person category"
    queryset = PersonCategory.objects.all()
    serializer_class = PersonCategorySerializer
    may = {
        "list": [Role.INSTITUTION_ADMIN, Role.OFFICER, Role.AUDITOR],
        "create": [Role.OFFICER],
    }
    refuses = {"create": [person_categories.AlreadyRecognised]}

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(person=self.parent(Person.objects, "person_id"))

    @extend_schema(request=RecogniseForm, responses={201: PersonCategorySerializer})
    def create(self, request: Request, person_id: UUID) -> Response:
        """Recognise that the person belongs to a category, from a day to a day."""
        person = self.parent(Person.objects, "person_id")
        asked = self.form(RecogniseForm)
        evidence = asked.get("evidence_id")
        recognised = person_categories.recognise(
            person,
            asked["category"],
            valid_from=asked["valid_from"],
            valid_to=asked.get("valid_to"),
            evidence=self.visible(StoredFile, evidence, "evidence_id") if evidence else None,
            by=self.user,
            at=self.at,
        )
        return self.answer(recognised, 201)
