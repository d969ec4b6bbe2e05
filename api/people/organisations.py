"""Organisations: the public list of institutions, and whatever else the caller may see."""

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from api.access import ANYONE
from api.filters import RegionFilter
from api.inputs import CreditCodeField, Form
from api.outputs import RowSerializer
from api.resource import Readable
from people import organisations
from people.models import Organisation, Region
from people.roles import Role, Scope


class OrganisationSerializer(RowSerializer[Organisation]):
    class Meta:
        model = Organisation
        fields = ["id", "kind", "name", "credit_code", "region_id", "address", "created_at"]


class OrganisationFilters(filters.FilterSet):
    region = RegionFilter(field_name="region_id")
    name = filters.CharFilter(lookup_expr="contains", max_length=120)

    class Meta:
        model = Organisation
        fields: list[str] = []


class KindFilters(OrganisationFilters):
    kind = filters.ChoiceFilter(choices=Organisation.Kind.choices)


class InstitutionForm(Form):
    id = serializers.UUIDField(required=False)
    name = serializers.CharField(max_length=120)
    credit_code = CreditCodeField()
    region_id = serializers.RegexField(r"^[0-9]{12}$", max_length=12)
    address = serializers.CharField(max_length=200, default="", allow_blank=True)


class Organisations(Readable):
    """Those who serve the public, and employers and tenants of one's own region."""

    tag = "organisations"
    noun = "organisation"
    queryset = Organisation.objects.all()
    serializer_class = OrganisationSerializer
    filterset_class = KindFilters
    may = {"list": ANYONE, "retrieve": ANYONE}


class Institutions(Readable):
    """Training institutions."""

    tag = "organisations"
    noun = "institution"
    queryset = Organisation.objects.all()
    serializer_class = OrganisationSerializer
    filterset_class = OrganisationFilters
    may = {"list": ANYONE, "retrieve": ANYONE, "create": [Role.OFFICER]}
    refuses = {"create": [organisations.AlreadyOnTheRegister]}
    public_seconds = 300

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(kind=Organisation.Kind.INSTITUTION)

    @extend_schema(request=InstitutionForm, responses={201: OrganisationSerializer})
    def create(self, request: Request) -> Response:
        """Register a training institution of the officer's own region."""
        asked = self.form(InstitutionForm)
        region = self.visible(Region, asked["region_id"], "region_id")
        if not self.user.may_on([Role.OFFICER], Scope(region_id=region.pk)):
            raise PermissionDenied
        institution = organisations.register(
            Organisation.Kind.INSTITUTION,
            asked["name"],
            asked["credit_code"],
            region,
            address=asked["address"],
            key=asked.get("id"),
            by=self.user,
            at=self.at,
        )
        return self.answer(institution, 201)
