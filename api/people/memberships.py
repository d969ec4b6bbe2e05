"""Roles that accounts hold in organisations."""

from uuid import UUID

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.access import SIGNED_IN
from api.inputs import Form, PhoneField
from api.outputs import RowSerializer
from api.resource import Listed, Resource
from people import identifiers, memberships
from people.models import Membership, Organisation
from people.refusals import OwnRequest
from people.roles import GIVEN_ROLES, Role

GIVERS = [Role.INSTITUTION_ADMIN, Role.SYSTEM_ADMIN]
REFUSED = [
    memberships.RoleNotYoursToGive,
    memberships.RoleDoesNotFit,
    memberships.SupervisesHere,
    OwnRequest,
]


class MembershipSerializer(RowSerializer[Membership]):
    """Whose it is shows only in the masked phone: a number typed in must not tell a name."""

    organisation_name = serializers.CharField(
        source="organisation.name", max_length=120, read_only=True
    )
    phone_masked = serializers.SerializerMethodField()

    class Meta:
        model = Membership
        fields = [
            "id",
            "role",
            "organisation_id",
            "organisation_name",
            "phone_masked",
            "created_at",
        ]

    def get_phone_masked(self, membership: Membership) -> str:
        return identifiers.mask_phone(membership.user.phone)


class MembershipForm(Form):
    phone = PhoneField()
    role = serializers.ChoiceField(GIVEN_ROLES)


class MembershipFilters(filters.FilterSet):
    organisation = filters.UUIDFilter(field_name="organisation_id")
    role = filters.ChoiceFilter(choices=GIVEN_ROLES)

    class Meta:
        model = Membership
        fields: list[str] = []


class Memberships(Listed):
    """One's own roles, those in organisations one administers, those in one's region."""

    tag = "organisations"
    noun = "membership"
    queryset = Membership.objects.select_related("organisation", "user")
    serializer_class = MembershipSerializer
    filterset_class = MembershipFilters
    may = {"list": SIGNED_IN, "destroy": SIGNED_IN}
    refuses = {"destroy": [memberships.RoleNotYoursToGive]}

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Take a role away; the account's next request is without it.

        Anybody may give up a role of their own.
        """
        membership = self.get_object()
        self.check_version(membership)
        memberships.remove(membership, by=self.user, at=self.at)
        return Response(status=204)


class OrganisationMemberships(Resource):
    """Roles in one organisation."""

    tag = "organisations"
    noun = "membership"
    queryset = Membership.objects.select_related("organisation", "user")
    serializer_class = MembershipSerializer
    may = {"create": GIVERS}
    refuses = {"create": REFUSED}

    @extend_schema(request=MembershipForm, responses={201: MembershipSerializer})
    def create(self, request: Request, organisation_id: UUID) -> Response:
        """Give whoever holds the phone a role.

        An institution administrator gives `trainer` and `institution_admin`, the system
        administrator every role that exists in this kind of organisation. Nobody gives a role to
        themselves, and only the system administrator gives one to an officer or auditor of the
        organisation's region. Apart from that the answer is the same for a known and an unknown
        phone.
        """
        organisation = self.parent(Organisation.objects, "organisation_id")
        asked = self.form(MembershipForm)
        membership = memberships.invite(
            asked["phone"], Role(asked["role"]), organisation, by=self.user, at=self.at
        )
        return self.answer(membership, 201)
