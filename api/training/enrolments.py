"""Enrolments: may I, a place in a class, and what becomes of it."""

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.access import SIGNED_IN
from api.filters import FlagFilter
from api.inputs import Form, ReasonForm
from api.masked import MaskedPersonSerializer
from api.outputs import RowSerializer
from api.resource import Listed, Readable, Resource
from people import person_claims
from people.models import Person, PersonCategory
from people.models.persons import SEALED, sealed
from people.refusals import IdTaken, WrongStatus
from people.roles import Role
from training import eligibility, enrolments, seats, waiting_lists
from training.models import Enrolment, TrainingClass

APPLYING = [
    eligibility.EnrolmentClosed,
    eligibility.PersonUnknown,
    eligibility.PersonUnconfirmed,
    eligibility.AlreadyEnrolled,
    eligibility.NotEligible,
    eligibility.OverlappingClass,
    IdTaken,
]
SEATING = [
    WrongStatus,
    seats.ClassHasStarted,
    eligibility.NotEligible,
    eligibility.OverlappingClass,
]


class EnrolledClassSerializer(RowSerializer[TrainingClass]):
    """The class, as far as somebody enrolled in it needs to know."""

    class Meta:
        model = TrainingClass
        fields = [
            "id",
            "name",
            "status",
            "institution_id",
            "programme_id",
            "venue_id",
            "region_id",
            "starts_on",
            "ends_on",
        ]
        read_only_fields = fields


class EnrolmentSerializer(RowSerializer[Enrolment]):
    expandable = {"training_class": EnrolledClassSerializer}
    waitlist_position = serializers.IntegerField(
        read_only=True, allow_null=True, min_value=1, max_value=2147483647
    )
    priority = serializers.IntegerField(read_only=True, min_value=0, max_value=32767)
    categories = serializers.ListField(
        child=serializers.ChoiceField(choices=PersonCategory.Category.choices),
        read_only=True,
        max_length=40,
    )
    person = MaskedPersonSerializer(read_only=True)

    class Meta:
        model = Enrolment
        fields = [
            "id",
            "training_class_id",
            "person_id",
            "person",
            "status",
            "waitlist_position",
            "priority",
            "priority_reason",
            "categories",
            "applied_at",
            "offer_expires_at",
            "admitted_at",
            "ended_at",
            "reason",
            "final_rate",
        ]
        read_only_fields = fields


class EnrolForm(Form):
    """Empty for oneself; an institution names one of its people."""

    id = serializers.UUIDField(required=False)
    person_id = serializers.UUIDField(required=False)


class RuleAnswer(serializers.Serializer[Any]):
    code = serializers.CharField(max_length=40)
    result = serializers.ChoiceField(choices=["pass", "fail", "unknown"])
    message = serializers.CharField(max_length=200)
    facts = serializers.DictField()


class EligibilityAnswer(serializers.Serializer[Any]):
    eligible = serializers.BooleanField(allow_null=True)
    policy_id = serializers.UUIDField(
        allow_null=True, source="policy.policy_id", help_text="Null while the defaults apply."
    )
    rules = RuleAnswer(many=True)


class EnrolmentFilters(filters.FilterSet):
    mine = FlagFilter(method="keep_mine", label="Only one's own.")
    status = filters.ChoiceFilter(choices=Enrolment.Status.choices)
    training_class = filters.UUIDFilter(field_name="training_class_id")

    class Meta:
        model = Enrolment
        fields: list[str] = []

    def keep_mine(self, queryset: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:  # noqa: FBT001
        return queryset.filter(person_id=self.request.user.person_id) if value else queryset


class StatusFilters(filters.FilterSet):
    status = filters.ChoiceFilter(choices=Enrolment.Status.choices)

    class Meta:
        model = Enrolment
        fields: list[str] = []


SHOWN = (
    Enrolment.objects.with_waitlist_position()
    .select_related("person", "training_class")
    .defer(*sealed("person"))
)


class ClassEligibility(Resource):
    """Whether the caller may enrol in a class, rule by rule."""

    tag = "enrolments"
    noun = "eligibility"
    may = {"retrieve": SIGNED_IN}

    @extend_schema(responses={200: EligibilityAnswer})
    def retrieve(self, request: Request, class_id: UUID) -> Response:
        """Tell whether I may enrol, and by which rules.

        Every rule answers with the fact that it used. Free seats are no rule: one may wait.
        """
        classes = TrainingClass.objects.select_related("programme")
        training_class = self.parent(classes, "class_id")
        own = Person.objects.filter(user=self.user.pk).defer(*SEALED).first()
        is_waiting = own is None and person_claims.is_waiting(self.user)
        assessment = eligibility.assess(training_class, own, at=self.at, is_waiting=is_waiting)
        return Response(EligibilityAnswer(assessment).data)


class ClassEnrolments(Listed):
    """The people in one class, or waiting for it."""

    tag = "enrolments"
    noun = "enrolment"
    queryset = SHOWN
    serializer_class = EnrolmentSerializer
    filterset_class = StatusFilters
    may = {"list": SIGNED_IN, "create": SIGNED_IN}
    refuses = {"create": APPLYING}
    ordering = ("applied_at", "id")

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(training_class=self.parent(TrainingClass.objects, "class_id"))

    @extend_schema(request=EnrolForm, responses={201: EnrolmentSerializer})
    def create(self, request: Request, class_id: UUID) -> Response:
        """Ask for a place in the class.

        Admitted while the class admits automatically and a seat is free, else on the waiting
        list; a class that reviews looks at every application first. An institution may enrol a
        person whom it can see.
        """
        classes = TrainingClass.objects.select_related("programme")
        training_class = self.parent(classes, "class_id")
        asked = self.form(EnrolForm)
        enrolment = enrolments.apply(
            training_class,
            self.applicant(training_class, asked.get("person_id")),
            by=self.user,
            at=self.at,
            enrolment_id=asked.get("id"),
        )
        return self.answer(enrolment, 201)

    def applicant(self, training_class: TrainingClass, person_id: UUID | None) -> Person | None:
        """Find out who is to be enrolled: the caller, or somebody whom the institution names."""
        if person_id is None or person_id == self.user.person_id:
            return Person(pk=self.user.person_id) if self.user.person_id else None
        if not self.user.may_on([Role.INSTITUTION_ADMIN], training_class.scope):
            raise PermissionDenied
        person: Person = self.visible(Person, person_id, "person_id")
        return person


class Enrolments(Readable):
    """Places in classes, and the moves of their life."""

    tag = "enrolments"
    noun = "enrolment"
    queryset = SHOWN
    serializer_class = EnrolmentSerializer
    filterset_class = EnrolmentFilters
    may = {
        "list": SIGNED_IN,
        "retrieve": SIGNED_IN,
        "withdraw": [Role.TRAINEE, Role.INSTITUTION_ADMIN],
        "accept": [Role.TRAINEE],
        "admit": [Role.INSTITUTION_ADMIN],
        "waitlist": [Role.INSTITUTION_ADMIN],
        "offer": [Role.INSTITUTION_ADMIN],
        "reject": [Role.INSTITUTION_ADMIN],
        "drop": [Role.INSTITUTION_ADMIN],
    }
    refuses = {
        "withdraw": [WrongStatus, seats.ClassHasStarted],
        "accept": [*SEATING, enrolments.OfferExpired],
        "admit": [*SEATING, seats.ClassFull],
        "waitlist": [WrongStatus, seats.ClassHasStarted],
        "offer": [WrongStatus, seats.ClassHasStarted, seats.ClassFull],
        "reject": [WrongStatus],
        "drop": [WrongStatus, enrolments.ClassHasNotStarted],
    }
    ordering = ("-id",)

    @extend_schema(request=ReasonForm, responses={200: EnrolmentSerializer})
    def withdraw(self, request: Request, pk: UUID) -> Response:
        """Leave before the class starts.

        A seat that this frees is offered to the next in line at once, unless the class is filed:
        then only once it is returned.
        """
        enrolment = self.get_object()
        return self.answer(
            enrolments.withdraw(enrolment, **self.form(ReasonForm), by=self.user, at=self.at)
        )

    @extend_schema(request=None, responses={200: EnrolmentSerializer})
    def accept(self, request: Request, pk: UUID) -> Response:
        """Confirm the seat that was offered to me, also after the class was filed."""
        return self.answer(enrolments.accept(self.get_object(), by=self.user, at=self.at))

    @extend_schema(request=None, responses={200: EnrolmentSerializer})
    def admit(self, request: Request, pk: UUID) -> Response:
        """Give an applicant, or somebody who waits, a seat.

        Only while the class is enrolling or returned: filing freezes its roster.
        """
        return self.answer(enrolments.admit(self.get_object(), by=self.user, at=self.at))

    @extend_schema(request=None, responses={200: EnrolmentSerializer})
    def waitlist(self, request: Request, pk: UUID) -> Response:
        """Put an applicant on the waiting list."""
        return self.answer(enrolments.waitlist(self.get_object(), by=self.user, at=self.at))

    @extend_schema(request=None, responses={200: EnrolmentSerializer})
    def offer(self, request: Request, pk: UUID) -> Response:
        """Hold a free seat for somebody who waits, until they confirm.

        Only while the class is enrolling or returned: filing freezes its roster.
        """
        return self.answer(waiting_lists.offer(self.get_object(), by=self.user, at=self.at))

    @extend_schema(request=ReasonForm, responses={200: EnrolmentSerializer})
    def reject(self, request: Request, pk: UUID) -> Response:
        """Turn an applicant down, saying why."""
        enrolment = self.get_object()
        return self.answer(
            enrolments.reject(enrolment, **self.form(ReasonForm), by=self.user, at=self.at)
        )

    @extend_schema(request=ReasonForm, responses={200: EnrolmentSerializer})
    def drop(self, request: Request, pk: UUID) -> Response:
        """Note that somebody left a running class, saying why."""
        enrolment = self.get_object()
        return self.answer(
            enrolments.drop(enrolment, **self.form(ReasonForm), by=self.user, at=self.at)
        )
