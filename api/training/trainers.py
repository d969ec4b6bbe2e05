"""Those who teach."""

from uuid import UUID

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.filters import FlagFilter
from api.inputs import Form, PhoneField
from api.outputs import RowSerializer
from api.resource import Readable
from api.training.ownership import STAFF, institution_named
from people import identifiers, memberships
from people.refusals import OwnRequest
from people.roles import Role
from training import trainers
from training.models import Trainer

REFUSED = [
    trainers.TrainerAlreadyEngaged,
    memberships.SupervisesHere,
    memberships.RoleNotYoursToGive,
    OwnRequest,
]


class TrainerSerializer(RowSerializer[Trainer]):
    """``phone_masked`` is that of the account that takes attendance, empty without one."""

    phone_masked = serializers.SerializerMethodField()

    class Meta:
        model = Trainer
        fields = ["id", "institution_id", "phone_masked", "name", "qualification", "active"]

    def get_phone_masked(self, trainer: Trainer) -> str:
        return identifiers.mask_phone(trainer.user.phone) if trainer.user else ""


class TrainerChanges(Form):
    """Whatever is given changes; an empty phone unlinks the account."""

    name = serializers.CharField(max_length=60, required=False)
    qualification = serializers.CharField(max_length=200, required=False, allow_blank=True)
    phone = PhoneField(required=False, allow_blank=True)
    active = serializers.BooleanField(required=False)


class TrainerForm(Form):
    id = serializers.UUIDField(required=False)
    institution_id = serializers.UUIDField(required=False)
    name = serializers.CharField(max_length=60)
    qualification = serializers.CharField(max_length=200, default="", allow_blank=True)
    phone = PhoneField(required=False)


class TrainerFilters(filters.FilterSet):
    institution = filters.UUIDFilter(field_name="institution_id")
    active = FlagFilter()

    class Meta:
        model = Trainer
        fields: list[str] = []


class Trainers(Readable):
    """Those who teach at an institution."""

    tag = "trainers"
    noun = "trainer"
    queryset = Trainer.objects.select_related("institution", "user")
    serializer_class = TrainerSerializer
    filterset_class = TrainerFilters
    may = {
        "list": STAFF,
        "retrieve": STAFF,
        "create": [Role.INSTITUTION_ADMIN],
        "partial_update": [Role.INSTITUTION_ADMIN],
    }
    refuses = {"create": REFUSED, "partial_update": REFUSED}

    @extend_schema(request=TrainerForm, responses={201: TrainerSerializer})
    def create(self, request: Request) -> Response:
        """Engage a trainer at one's own institution.

        With a phone, the account of that phone may take attendance in the trainer's sessions; if
        there is none yet, it is made and waits for its first sign-in.
        """
        asked = self.form(TrainerForm)
        trainer = trainers.engage(
            institution_named(self, asked.pop("institution_id", None)),
            asked.pop("name"),
            **asked,
            by=self.user,
            at=self.at,
        )
        return self.answer(trainer, 201)

    @extend_schema(request=TrainerChanges, responses={200: TrainerSerializer})
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Change a trainer; one who is not active any more loses the role at once."""
        trainer = self.get_object()
        self.check_version(trainer)
        asked = self.form(TrainerChanges)
        return self.answer(trainers.amend(trainer, **asked, by=self.user, at=self.at))
