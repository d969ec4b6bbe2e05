"""Asking to be allowed to teach, and being answered."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.filters import RegionFilter
from api.inputs import Form, NoBody, ReasonForm, wrong
from api.outputs import RowSerializer
from api.resource import Readable
from api.training.occupations import OccupationSerializer
from api.training.ownership import STAFF, institution_named
from api.training.programmes import OccupationFilter
from people.refusals import WrongStatus
from people.roles import Role
from training import accreditations
from training.independence import OwnInstitution, OwnRequest
from training.models import Accreditation, Occupation
from training.models.programmes import SkillLevel


class AccreditationSerializer(RowSerializer[Accreditation]):
    expandable = {"occupation": OccupationSerializer}

    class Meta:
        model = Accreditation
        fields = [
            "id",
            "institution_id",
            "occupation_id",
            "level",
            "valid_from",
            "valid_to",
            "status",
            "applied_at",
            "decided_at",
            "reason",
        ]


class AccreditationForm(Form):
    id = serializers.UUIDField(required=False)
    institution_id = serializers.UUIDField(required=False)
    occupation_id = serializers.UUIDField()
    level = serializers.ChoiceField(choices=SkillLevel.choices)
    valid_from = serializers.DateField()
    valid_to = serializers.DateField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["valid_to"] < attrs["valid_from"]:
            raise wrong("valid_to", "out_of_order", _("It ends before it begins."))
        return attrs


class AccreditationFilters(filters.FilterSet):
    institution = filters.UUIDFilter(field_name="institution_id")
    occupation = OccupationFilter("occupation")
    status = filters.ChoiceFilter(choices=Accreditation.Status.choices)
    region = RegionFilter("institution__region_id")

    class Meta:
        model = Accreditation
        fields: list[str] = []


DECISIONS = [WrongStatus, OwnInstitution, OwnRequest]


class Accreditations(Readable):
    """What institutions may teach, from a day to a day."""

    tag = "accreditations"
    noun = "accreditation"
    queryset = Accreditation.objects.select_related("institution")
    serializer_class = AccreditationSerializer
    filterset_class = AccreditationFilters
    ordering = ("-id",)
    may = {
        "list": STAFF,
        "retrieve": STAFF,
        "create": [Role.INSTITUTION_ADMIN],
        "approve": [Role.OFFICER],
        "refuse": [Role.OFFICER],
        "revoke": [Role.OFFICER],
    }
    refuses = {"approve": DECISIONS, "refuse": DECISIONS, "revoke": DECISIONS}

    @extend_schema(request=AccreditationForm, responses={201: AccreditationSerializer})
    def create(self, request: Request) -> Response:
        """Apply for an accreditation of one's own institution.

        The institution needs to be named only by someone who administers several.
        """
        asked = self.form(AccreditationForm)
        accreditation = accreditations.apply(
            institution_named(self, asked.pop("institution_id", None)),
            self.visible(Occupation, asked.pop("occupation_id"), "occupation_id"),
            asked.pop("level"),
            by=self.user,
            at=self.at,
            **asked,
        )
        return self.answer(accreditation, 201)

    @extend_schema(request=NoBody, responses={200: AccreditationSerializer})
    def approve(self, request: Request, pk: UUID) -> Response:
        """Allow it; by an officer of the region who does not belong to the institution."""
        self.form(NoBody)
        return self.answer(accreditations.approve(self.get_object(), by=self.user, at=self.at))

    @extend_schema(request=ReasonForm, responses={200: AccreditationSerializer})
    def refuse(self, request: Request, pk: UUID) -> Response:
        """Turn it down, saying why."""
        asked = self.form(ReasonForm)
        refused = accreditations.refuse(self.get_object(), **asked, by=self.user, at=self.at)
        return self.answer(refused)

    @extend_schema(request=ReasonForm, responses={200: AccreditationSerializer})
    def revoke(self, request: Request, pk: UUID) -> Response:
        """Take an approved one back, saying why.

        Classes already published stay; none can be published or filed on it any more.
        """
        asked = self.form(ReasonForm)
        revoked = accreditations.revoke(self.get_object(), **asked, by=self.user, at=self.at)
        return self.answer(revoked)
