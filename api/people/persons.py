"""The register as staff see it: rows masked, every look in the clear on record."""

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as translate
from django.utils.translation import gettext_lazy as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import (
    OpenApiExample,
    extend_schema,
    extend_schema_serializer,
)
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from api import masked, problems
from api.filters import RegionFilter
from api.inputs import Form, IdNumberField, PhoneField
from api.outputs import RowSerializer
from api.problems import Problem, bad_member
from api.resource import Readable, Resource
from people import persons
from people.crypto import phone_index
from people.models import Organisation, Person, PersonCategory, Region
from people.refusals import NotYours
from people.roles import Role, Scope

STAFF = [Role.INSTITUTION_ADMIN, Role.OFFICER]


class PersonSerializer(RowSerializer[Person]):
    class Meta:
        model = Person
        fields = [
            *masked.MaskedPersonSerializer.Meta.fields,
            "sex",
            "education",
            "hukou",
            "region_id",
            "verified_at",
            "created_at",
        ]


class PersonFilters(filters.FilterSet):
    name = filters.CharFilter(
        method="starts_with",
        max_length=60,
        label=_("The beginning of the name, or of its initials (zs finds 张三)."),
    )
    region = RegionFilter(field_name="region_id")

    class Meta:
        model = Person
        fields: list[str] = []

    def starts_with(self, rows: QuerySet[Person], _name: str, value: str) -> QuerySet[Person]:
        return rows.filter(Q(name__startswith=value) | Q(name_initials__startswith=value.lower()))


class ParticularsForm(Form):
    """What is said of a person."""

    name = serializers.CharField(max_length=60)
    id_number = IdNumberField()
    education = serializers.ChoiceField(Person.Education.choices, default=Person.Education.UNKNOWN)
    hukou = serializers.ChoiceField(Person.Hukou.choices, default=Person.Hukou.UNKNOWN)
    region_id = serializers.RegexField(r"^[0-9]{12}$", max_length=12)
    categories = serializers.ListField(
        child=serializers.ChoiceField(PersonCategory.Category.choices), max_length=10, default=list
    )
    employment_card_number = serializers.CharField(max_length=30, default="", allow_blank=True)


class PersonForm(ParticularsForm):
    phone = PhoneField(required=False)
    organisation_id = serializers.UUIDField(required=False)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "By number",
            {"id_number": "430202190001010010", "purpose": "核对就业登记"},
            request_only=True,
        ),
        OpenApiExample(
            "By phone", {"phone": "13900000001", "purpose": "核对就业登记"}, request_only=True
        ),
    ]
)
class LookupForm(Form):
    """Exactly one of ``id_number`` and ``phone``, and why."""

    id_number = IdNumberField(required=False)
    phone = PhoneField(required=False)
    purpose = serializers.CharField(min_length=2, max_length=200)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("id_number" in attrs) == ("phone" in attrs):
            raise serializers.ValidationError(_("Give either id_number or phone."), code="invalid")
        return attrs


class RevealForm(Form):
    field = serializers.ChoiceField(sorted(persons.REVEALABLE))
    purpose = serializers.CharField(min_length=2, max_length=200)


class RevealAnswer(serializers.Serializer[Any]):
    field = serializers.ChoiceField(sorted(persons.REVEALABLE))
    value = serializers.CharField(max_length=18, allow_blank=True)


class Persons(Readable):
    """Persons on the register; an institution sees those it registered or trains."""

    tag = "persons"
    noun = "person"
    queryset = masked.persons()
    serializer_class = PersonSerializer
    filterset_class = PersonFilters
    may = {
        "list": [*STAFF, Role.AUDITOR],
        "retrieve": [*STAFF, Role.AUDITOR],
        "create": STAFF,
    }
    refuses = {
        "create": [persons.NameDiffers, persons.RegisteredElsewhere, persons.TooManyAttempts]
    }

    @extend_schema(request=PersonForm, responses={201: PersonSerializer})
    def create(self, request: Request) -> Response:
        """Put a person on the register.

        A number that the register holds under the same name gives that person, unchanged; an
        institution may see it from then on. Whoever works for several institutions says for which
        one with `organisation_id`. A name that does not match is on record; after 20 of them
        within a day nothing is registered.
        """
        asked = self.form(PersonForm)
        region = self.visible(Region, asked.pop("region_id"), "region_id")
        institution = self.institution(asked.pop("organisation_id", None), region)
        said = persons.Particulars(
            **asked | {"categories": tuple(asked["categories"])}, region=region
        )
        try:
            person = persons.register(said, by=self.user, at=self.at, known_to=institution)
        except persons.AttemptRefused as refusal:
            # Not raised any further: that would take back what is on record of the attempt.
            return problems.answer(refusal, {"request": request})
        return self.answer(person, 201)

    def institution(self, asked: UUID | None, region: Region) -> Organisation | None:
        """Tell for which institution the caller registers; an officer does it for none.

        :raises Problem: 400 if it is not the caller's, or not clear which one
        :raises PermissionDenied: if the caller is an officer of another region only
        """
        own = self.user.organisation_ids(Role.INSTITUTION_ADMIN)
        if asked is None and self.user.may_on([Role.OFFICER], Scope(region_id=region.pk)):
            return None
        if not own:
            raise PermissionDenied
        if asked is None and len(own) > 1:
            raise bad_member("organisation_id", "required", translate("Say for which institution."))
        chosen = asked or own[0]
        found: Organisation = self.visible(
            Organisation, chosen if chosen in own else None, "organisation_id"
        )
        return found


class PersonLookups(Resource):
    """Finding one person by the exact number or phone; never in a URL."""

    tag = "persons"
    noun = "person"
    queryset = masked.persons()
    serializer_class = PersonSerializer
    may = {"create": STAFF}
    refuses = {"create": [persons.NotUnique]}
    idempotent = False

    @extend_schema(request=LookupForm, responses={200: PersonSerializer, 404: None})
    def create(self, request: Request) -> Response:
        """Find the person with this number or phone.

        Every look is on record with its purpose, found or not. Absent and out of sight are the
        same 404.
        """
        asked = self.form(LookupForm)
        index = (
            {"id_number_index": persons.id_number_index(asked["id_number"])}
            if "id_number" in asked
            else {"phone_index": phone_index(asked["phone"])}
        )
        person = persons.look_up(index, purpose=asked["purpose"], by=self.user, at=self.at)
        if person is None:
            raise Problem(404)
        return self.answer(person)


class PersonReveals(Resource):
    """One field in the clear."""

    tag = "persons"
    noun = "person"
    queryset = Person.objects.all()
    may = {"create": STAFF}
    refuses = {"create": [NotYours]}
    # A stored answer would keep the number in the clear for a month.
    idempotent = False

    @extend_schema(request=RevealForm, responses={200: RevealAnswer})
    def create(self, request: Request, pk: UUID) -> Response:
        """Show the number or the phone in the clear.

        For officers of the region, and for an institution that put the person on the register or
        has an enrolment of the person that is live or completed. Who looked, at what and why is on
        record.
        """
        asked = self.form(RevealForm)
        value = persons.reveal(
            self.get_object(), asked["field"], purpose=asked["purpose"], by=self.user, at=self.at
        )
        answer = {"field": asked["field"], "value": value}
        return Response(answer, headers={"Cache-Control": "no-store"})
