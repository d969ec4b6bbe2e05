"""Accounts that say they are somebody on the register, waiting for someone to look at the card."""

from uuid import UUID

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.inputs import NoBody
from api.masked import MaskedPersonSerializer
from api.outputs import RowSerializer
from api.resource import Readable
from people import identifiers, person_claims
from people.models import PersonClaim
from people.models.persons import sealed
from people.refusals import NotYours, WrongStatus
from people.roles import Role

DECIDERS = [Role.INSTITUTION_ADMIN, Role.OFFICER]


class PersonClaimSerializer(RowSerializer[PersonClaim]):
    """``name`` and ``phone_masked`` are the claimant's, ``person`` is the row on the register."""

    person = MaskedPersonSerializer(read_only=True)
    phone_masked = serializers.SerializerMethodField()

    class Meta:
        model = PersonClaim
        fields = ["id", "status", "name", "phone_masked", "person_id", "person", "created_at"]

    def get_phone_masked(self, claim: PersonClaim) -> str:
        return identifiers.mask_phone(claim.user.phone)


class PersonClaimFilters(filters.FilterSet):
    status = filters.ChoiceFilter(choices=PersonClaim.Status.choices)

    class Meta:
        model = PersonClaim
        fields: list[str] = []


class PersonClaims(Readable):
    """Claims to be a person whom the caller can see; never the caller's own."""

    tag = "persons"
    noun = "person claim"
    queryset = PersonClaim.objects.select_related("person", "user").defer(*sealed("person"))
    serializer_class = PersonClaimSerializer
    filterset_class = PersonClaimFilters
    may = {
        "list": [*DECIDERS, Role.AUDITOR],
        "retrieve": [*DECIDERS, Role.AUDITOR],
        "confirm": DECIDERS,
        "refuse": DECIDERS,
    }
    refuses = {
        "confirm": [WrongStatus, NotYours, person_claims.AlreadyLinked],
        "refuse": [WrongStatus],
    }
    ordering = ("-id",)

    @extend_schema(request=NoBody, responses={200: PersonClaimSerializer})
    def confirm(self, request: Request, pk: UUID) -> Response:
        """Link the account to the person, having seen the identity card.

        For officers of the region, and for an institution that knew the person before the claim
        was made.
        """
        self.form(NoBody)
        claim = person_claims.confirm(self.get_object(), by=self.user, at=self.at)
        return self.answer(claim)

    @extend_schema(request=NoBody, responses={200: PersonClaimSerializer})
    def refuse(self, request: Request, pk: UUID) -> Response:
        """Leave the account unlinked; it may register again."""
        self.form(NoBody)
        claim = person_claims.refuse(self.get_object(), by=self.user, at=self.at)
        return self.answer(claim)
