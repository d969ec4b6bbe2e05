"""The timetable: sessions of a class, and one's own."""

from datetime import date, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import (
    OpenApiExample,
    PolymorphicProxySerializer,
    extend_schema,
    extend_schema_field,
    extend_schema_serializer,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.access import ANYONE
from api.inputs import Form, Moment, ReasonForm, wrong
from api.outputs import RowSerializer
from api.resource import Listed, Readable, Resource
from api.training.ownership import for_staff
from api.training.session_filters import SessionFilters
from api.training.venues import VenueSerializer
from people.refusals import WrongStatus
from people.roles import Role
from training import bookings, sessions
from training.models import ClassSession, Trainer, TrainingClass, Venue

LONGEST_MINUTES = 24 * 60
LONGEST_PERIOD_DAYS = 731


class ClassSessionSerializer(RowSerializer[ClassSession]):
    expandable = {"venue": VenueSerializer}

    # Who teaches is nobody's business without an account: null for the public.
    trainer_id = serializers.SerializerMethodField()
    trainer_name = serializers.SerializerMethodField()
    class_name = serializers.CharField(source="training_class.name", read_only=True, max_length=120)
    # Why it was cancelled: for those who work on it.
    reason = serializers.SerializerMethodField()

    class Meta:
        model = ClassSession
        fields = [
            "id",
            "training_class_id",
            "class_name",
            "starts_at",
            "ends_at",
            "planned_minutes",
            "part",
            "topic",
            "trainer_id",
            "trainer_name",
            "venue_id",
            "status",
            "reason",
        ]
        extra_kwargs = {"planned_minutes": {"min_value": 1, "max_value": LONGEST_MINUTES}}

    @extend_schema_field(serializers.UUIDField(allow_null=True))
    def get_trainer_id(self, session: ClassSession) -> UUID | None:
        return session.trainer_id if self._is_signed_in() else None

    @extend_schema_field(serializers.CharField(allow_null=True, max_length=60))
    def get_trainer_name(self, session: ClassSession) -> str | None:
        return session.trainer.name if session.trainer and self._is_signed_in() else None

    def _is_signed_in(self) -> bool:
        request = self.context.get("request")
        return request is not None and request.user.is_authenticated

    def get_reason(self, session: ClassSession) -> str:
        return for_staff(self, session.scope, session.reason)


class ClassSessionsMade(serializers.Serializer[Any]):
    results = ClassSessionSerializer(many=True)


class RecurringForm(Form):
    """Every week on these weekdays (1 is Monday), from a day until a day, except the days to skip.

    Without days of its own it covers all days of the class.
    """

    weekdays = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=7), min_length=1, max_length=7
    )
    starts_time = serializers.TimeField()
    ends_time = serializers.TimeField()
    until = serializers.DateField(required=False)
    skip = serializers.ListField(
        child=serializers.DateField(), required=False, default=list, max_length=366
    )

    def get_fields(self) -> dict[str, Any]:
        # `from` is a word of Python, so it cannot be declared as a class attribute.
        return super().get_fields() | {"from": serializers.DateField(required=False)}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["ends_time"] <= attrs["starts_time"]:
            raise wrong("ends_time", "out_of_order", _("It ends before it begins."))
        return attrs


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "One session",
            {
                "id": "0198c0de-7a3b-7c4d-8e5f-0123456789ab",
                "starts_at": "2026-03-02T08:30:00+08:00",
                "ends_at": "2026-03-02T11:30:00+08:00",
                "trainer_id": "0198c0de-7a3b-7c4d-8e5f-0123456789ab",
                "venue_id": "0198c0de-7a3b-7c4d-8e5f-0123456789ab",
                "part": "theory",
                "topic": "基础知识",
                "planned_minutes": 180,
            },
            request_only=True,
        ),
        OpenApiExample(
            "Every week",
            {
                "recurring": {
                    "weekdays": [1, 3],
                    "starts_time": "08:30",
                    "ends_time": "11:30",
                    "from": "2026-03-02",
                    "until": "2026-04-24",
                    "skip": ["2026-04-06"],
                },
                "trainer_id": "0198c0de-7a3b-7c4d-8e5f-0123456789ab",
                "venue_id": "0198c0de-7a3b-7c4d-8e5f-0123456789ab",
                "part": "practice",
            },
            request_only=True,
        ),
    ]
)
class ClassSessionForm(Form):
    """Either ``starts_at`` and ``ends_at`` of one session, or ``recurring`` for many."""

    id = serializers.UUIDField(required=False)
    starts_at = Moment(required=False)
    ends_at = Moment(required=False)
    recurring = RecurringForm(required=False)
    trainer_id = serializers.UUIDField(required=False, allow_null=True)
    venue_id = serializers.UUIDField(required=False, allow_null=True)
    part = serializers.ChoiceField(choices=ClassSession.Part.choices, required=False)
    topic = serializers.CharField(max_length=120, required=False, allow_blank=True)
    planned_minutes = serializers.IntegerField(
        min_value=1, max_value=LONGEST_MINUTES, required=False
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        single = {"starts_at", "ends_at", "id"} & set(attrs)
        if "recurring" in attrs:
            if single:
                raise wrong(min(single), "not_with_recurring", _("One session or many, not both."))
            each = attrs["recurring"]
            starts_at, ends_at = (
                datetime.combine(date.min, each[edge]) for edge in ("starts_time", "ends_time")
            )
            refuse_bad_length(starts_at, ends_at, attrs.get("planned_minutes"))
            return attrs
        for member in ("starts_at", "ends_at"):
            if member not in attrs:
                raise wrong(member, "required", _("Say when, or give recurring."))
        refuse_bad_length(attrs["starts_at"], attrs["ends_at"], attrs.get("planned_minutes"))
        return attrs


def refuse_bad_length(starts_at: Any, ends_at: Any, planned_minutes: int | None) -> None:
    """Refuse a period that cannot be a session.

    :raises ValidationError: naming the member
    """
    if ends_at <= starts_at:
        raise wrong("ends_at", "out_of_order", _("It ends before it begins."))
    length = sessions.minutes(starts_at, ends_at)
    if length > LONGEST_MINUTES:
        raise wrong("ends_at", "too_long", _("A session lasts a day at most."))
    if planned_minutes and planned_minutes > length:
        raise wrong("planned_minutes", "too_long", _("More minutes than the session lasts."))


class RescheduleForm(Form):
    """Whatever is given changes."""

    starts_at = Moment(required=False)
    ends_at = Moment(required=False)
    trainer_id = serializers.UUIDField(required=False, allow_null=True)
    venue_id = serializers.UUIDField(required=False, allow_null=True)
    part = serializers.ChoiceField(choices=ClassSession.Part.choices, required=False)
    topic = serializers.CharField(max_length=120, required=False, allow_blank=True)
    planned_minutes = serializers.IntegerField(
        min_value=1, max_value=LONGEST_MINUTES, required=False
    )


ROWS = ClassSession.objects.select_related("training_class", "trainer")
BOOKING = [
    WrongStatus,
    bookings.OutsideClassDays,
    bookings.NotAvailable,
    bookings.BookingConflict,
]


def find_named(door: Resource, asked: dict[str, Any]) -> None:
    """Put the trainer and the venue that a body names in place of their ids."""
    for member, model in (("trainer_id", Trainer), ("venue_id", Venue)):
        if member in asked:
            pk = asked.pop(member)
            asked[member.removesuffix("_id")] = pk and door.visible(model, pk, member)


class ClassSessions(Listed):
    """The timetable of one class."""

    tag = "sessions"
    noun = "session"
    queryset = ROWS
    serializer_class = ClassSessionSerializer
    ordering = ("starts_at", "id")
    may = {"list": ANYONE, "create": [Role.INSTITUTION_ADMIN]}
    refuses = {
        "create": [*BOOKING, sessions.NothingToSchedule, sessions.TooManySessions],
    }

    @cached_property
    def training_class(self) -> TrainingClass:
        found: TrainingClass = self.parent(TrainingClass.objects, "class_id")
        return found

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(training_class=self.training_class)

    @extend_schema(
        request=ClassSessionForm,
        responses={
            201: PolymorphicProxySerializer(
                component_name="ClassSessionOrMany",
                serializers=[ClassSessionSerializer, ClassSessionsMade],
                resource_type_field_name=None,
            )
        },
    )
    def create(self, request: Request, class_id: UUID) -> Response:
        """Put one session on the timetable, or a recurring series.

        A room, a trainer and the people of a class may not be in two places at once; touching is
        fine. A series is made wholly or not at all, 200 sessions at most.
        """
        training_class = self.training_class
        asked = self.form(ClassSessionForm)
        find_named(self, asked)
        recurring = asked.pop("recurring", None)
        periods = (
            self._series(recurring)
            if recurring
            else [(asked.pop("starts_at"), asked.pop("ends_at"))]
        )
        made = sessions.schedule(training_class, periods, **asked, by=self.user, at=self.at)
        if not recurring:
            return self.answer(made[0], 201)
        rows = ROWS.filter(pk__in=[session.pk for session in made]).order_by("starts_at", "id")
        return Response({"results": self.get_serializer(rows, many=True).data}, status=201)

    def _series(self, recurring: dict[str, Any]) -> Any:
        first = recurring.get("from", self.training_class.starts_on)
        last = recurring.get("until", self.training_class.ends_on)
        if last < first:
            raise wrong("recurring", "out_of_order", _("It ends before it begins."))
        if (last - first).days > LONGEST_PERIOD_DAYS:
            raise wrong("recurring", "too_long", _("A series covers two years at most."))
        return sessions.Recurrence(
            weekdays=frozenset(recurring["weekdays"]),
            starts_time=recurring["starts_time"],
            ends_time=recurring["ends_time"],
            first=first,
            last=last,
            skip=frozenset(recurring["skip"]),
        ).periods()


class TimetableSessions(Readable):
    """Sessions of all classes that the caller may see."""

    tag = "sessions"
    noun = "session"
    queryset = ROWS
    serializer_class = ClassSessionSerializer
    filterset_class = SessionFilters
    ordering = ("starts_at", "id")
    may = {
        "list": ANYONE,
        "retrieve": ANYONE,
        "cancel": [Role.INSTITUTION_ADMIN],
        "reschedule": [Role.INSTITUTION_ADMIN],
    }
    refuses = {
        "cancel": [WrongStatus, sessions.SessionHasBegun],
        "reschedule": [*BOOKING, sessions.SessionHasBegun],
    }

    @extend_schema(request=ReasonForm, responses={200: ClassSessionSerializer})
    def cancel(self, request: Request, pk: UUID) -> Response:
        """Take a session off the timetable, saying why; everyone with a seat is told."""
        asked = self.form(ReasonForm)
        session = sessions.cancel(self.get_object(), **asked, by=self.user, at=self.at)
        return self.answer(session)

    @extend_schema(request=RescheduleForm, responses={200: ClassSessionSerializer})
    def reschedule(self, request: Request, pk: UUID) -> Response:
        """Move a session, or give it another trainer, venue or topic.

        While the class is planned, and later for sessions that have not begun. Everyone with a
        seat is told if time or place change.
        """
        session = self.get_object()
        asked = self.form(RescheduleForm)
        refuse_bad_length(
            asked.get("starts_at", session.starts_at),
            asked.get("ends_at", session.ends_at),
            asked.get("planned_minutes"),
        )
        find_named(self, asked)
        return self.answer(sessions.reschedule(session, **asked, by=self.user, at=self.at))
