"""The caller's own account and person."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.access import SIGNED_IN
from api.masked import persons as masked_persons
from api.outputs import RowSerializer, version_of
from api.people.persons import ParticularsForm
from api.problems import Problem
from api.profile import COUNTED, ProfileAnswer, profile
from api.resource import Resource
from people import identifiers, person_claims, persons
from people.models import Person, PersonCategory, PersonClaim, Region, User


class MeAnswer(ProfileAnswer):
    """``is_registered``: the account has a person, or waits for a confirmation."""

    is_registered = serializers.BooleanField()
    unread_count = serializers.IntegerField(min_value=0, max_value=COUNTED)
    version = serializers.CharField(max_length=60)


class Me(Resource):
    """The caller."""

    tag = "me"
    noun = "me"
    queryset = User.objects.all()
    may = {"retrieve": SIGNED_IN}

    @extend_schema(responses={200: MeAnswer})
    def retrieve(self, request: Request) -> Response:
        """Show the caller: account, person, roles with what they permit, unread notices.

        `unread_count` stops at 100.
        """
        waiting = PersonClaim.objects.filter(user=self.user, status=PersonClaim.Status.WAITING)
        shown, counts = profile(self.user, {"waiting": waiting})
        shown["is_registered"] = bool(shown["person"] or counts["waiting"])
        shown["unread_count"] = counts["unread"]
        return Response({**shown, "version": version_of(shown)})


class MyPersonForm(ParticularsForm):
    """What is said of oneself."""


class SaidAnswer(serializers.Serializer[Any]):
    """What was sent, masked."""

    name = serializers.CharField(max_length=60)
    id_number_masked = serializers.CharField(max_length=18)
    education = serializers.ChoiceField(Person.Education.choices)
    hukou = serializers.ChoiceField(Person.Hukou.choices)
    region_id = serializers.CharField(max_length=12)
    categories = serializers.ListField(
        child=serializers.ChoiceField(PersonCategory.Category.choices), max_length=10
    )
    employment_card_number = serializers.CharField(max_length=30, allow_blank=True)


class MyPersonSerializer(RowSerializer[Person]):
    class Meta:
        model = Person
        fields = [
            "id",
            "name",
            "id_number_masked",
            "phone_masked",
            "sex",
            "born_on",
            "education",
            "hukou",
            "region_id",
            "employment_card_number",
            "verified_at",
        ]


class MyPerson(Resource):
    """The caller's row on the real-name register."""

    tag = "me"
    noun = "person"
    queryset = masked_persons()
    serializer_class = MyPersonSerializer
    may = {"retrieve": SIGNED_IN, "update": SIGNED_IN}
    refuses = {"update": [person_claims.AlreadyRegistered]}
    # It happens once: there is no earlier version that could get lost.
    versioned = False

    @extend_schema(responses={200: MyPersonSerializer, 404: None})
    def retrieve(self, request: Request) -> Response:
        """Show the caller's own person; 404 as long as there is none."""
        if self.user.person_id is None:
            raise Problem(404)
        return self.answer(Person(pk=self.user.person_id))

    @extend_schema(request=MyPersonForm, responses={200: SaidAnswer})
    def update(self, request: Request) -> Response:
        """Register oneself, once.

        A number that the register already holds is linked at once only if name and phone agree,
        otherwise someone who knows the person has to confirm it. The answer is what was sent and
        does not tell which; that a registration waits shows in `GET /me` afterwards, where
        `is_registered` is true while `person` is null. The same number and name again are answered
        again, others are refused.
        """
        asked = self.form(MyPersonForm)
        region = self.visible(Region, asked["region_id"], "region_id")
        said = {name: asked[name] for name in asked if name not in {"region_id", "categories"}}
        particulars = persons.Particulars(
            **said, region=region, categories=tuple(asked["categories"])
        )
        person_claims.register_self(particulars, by=self.user, at=self.at)
        number = asked.pop("id_number")
        return Response({**asked, "id_number_masked": identifiers.mask_id_number(number)})
