"""The first screen in one call: who I am, what comes next, what waits for me."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Model, Q, QuerySet, TextChoices
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.access import SIGNED_IN
from api.outputs import version_of
from api.profile import COUNTED, ProfileAnswer, profile
from api.resource import Resource
from people.days import local_day
from people.models import Organisation, Person, PersonCategory, PersonClaim, Policy, User
from people.roles import Role
from training.models import (
    Accreditation,
    AttendanceRecord,
    ClassSession,
    Enrolment,
    FollowUpTask,
    TrainingClass,
)

NEXT_SESSIONS = 5
# What the app shows by name; the values are the contract, the labels follow the language.
ENUMS: dict[str, type[TextChoices]] = {
    "role": Role,
    "organisation_kind": Organisation.Kind,
    "education": Person.Education,
    "hukou": Person.Hukou,
    "sex": Person.Sex,
    "person_category": PersonCategory.Category,
    "policy_kind": Policy.Kind,
    "class_status": TrainingClass.Status,
    "class_admission": TrainingClass.Admission,
    "session_status": ClassSession.Status,
    "session_part": ClassSession.Part,
    "enrolment_status": Enrolment.Status,
    "attendance_status": AttendanceRecord.Status,
    "follow_up_status": FollowUpTask.Status,
    "accreditation_status": Accreditation.Status,
}


class NextSessionAnswer(serializers.Serializer[Any]):
    """A session to sit in or to teach."""

    id = serializers.UUIDField()
    training_class_id = serializers.UUIDField()
    class_name = serializers.CharField(max_length=120)
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    topic = serializers.CharField(max_length=120, allow_blank=True)
    venue_name = serializers.CharField(max_length=120, allow_null=True)
    venue_address = serializers.CharField(max_length=200, allow_null=True)
    is_teaching = serializers.BooleanField()


class TodoAnswer(serializers.Serializer[Any]):
    code = serializers.CharField(max_length=40)
    count = serializers.IntegerField(min_value=1, max_value=COUNTED)


class LabelAnswer(serializers.Serializer[Any]):
    value = serializers.CharField(max_length=40)
    label = serializers.CharField(max_length=120)  # type: ignore[assignment]


class HomeAnswer(serializers.Serializer[Any]):
    """Counts stop at 100: the app says "many"."""

    me = ProfileAnswer()
    next_sessions = NextSessionAnswer(many=True)
    todos = TodoAnswer(many=True)
    unread_count = serializers.IntegerField(min_value=0, max_value=COUNTED)
    enums = serializers.DictField(child=LabelAnswer(many=True))
    minimum_app_version = serializers.CharField(max_length=20)
    version = serializers.CharField(max_length=60)


class Home(Resource):
    """Everything for the first screen, in three statements."""

    tag = "me"
    noun = "home"
    queryset = User.objects.all()
    may = {"retrieve": SIGNED_IN}

    @extend_schema(responses={200: HomeAnswer})
    def retrieve(self, request: Request) -> Response:
        """Show what the first screen of the app needs.

        The next five sessions to sit in or to teach, what waits for a decision or an answer of the
        caller, unread notices, and the labels of all values that the app shows.
        """
        at = self.at
        me, counts = profile(self.user, todos(self.user, at))
        unread = counts.pop("unread")
        shown = {
            "me": me,
            "next_sessions": [_session(row, self.user) for row in sessions(self.user, at)],
            "todos": [{"code": code, "count": count} for code, count in counts.items() if count],
            "unread_count": unread,
            "enums": {name: _labels(choices) for name, choices in ENUMS.items()},
            "minimum_app_version": settings.MINIMUM_APP_VERSION,
        }
        return Response({**shown, "version": version_of(shown)})


def sessions(user: User, at: datetime) -> list[ClassSession]:
    """Read the next sessions that the caller sits in or teaches and that are not over."""
    own = Q(pk__in=[])
    if user.person_id:
        admitted = Enrolment.objects.filter(
            person_id=user.person_id, status=Enrolment.Status.ADMITTED
        )
        own = Q(training_class__in=admitted.values("training_class"))
    if Role.TRAINER in user.roles:
        own |= Q(trainer__user=user, trainer__institution__in=user.organisation_ids(Role.TRAINER))
    coming = ClassSession.objects.filter(own, ends_at__gt=at, status=ClassSession.Status.SCHEDULED)
    # The secret of the check-in code stays where it is.
    return list(
        coming.select_related("training_class", "venue", "trainer")
        .defer("secret")
        .order_by("starts_at", "id")[:NEXT_SESSIONS]
    )


def _session(session: ClassSession, user: User) -> dict[str, Any]:
    venue, trainer = session.venue, session.trainer
    return {
        "id": session.pk,
        "training_class_id": session.training_class_id,
        "class_name": session.training_class.name,
        "starts_at": session.starts_at,
        "ends_at": session.ends_at,
        "topic": session.topic,
        "venue_name": venue.name if venue else None,
        "venue_address": venue.address if venue else None,
        "is_teaching": bool(trainer and trainer.user_id == user.pk),
    }


def todos(user: User, at: datetime) -> Mapping[str, QuerySet[Model]]:
    """Name what waits for the caller, by the roles held."""
    waiting: dict[str, QuerySet[Any]] = {}
    if user.person_id:
        waiting |= _of_trainee(user.person_id, at)
    if Role.TRAINER in user.roles:
        waiting["sessions_to_finish"] = ClassSession.objects.filter(
            trainer__user=user,
            trainer__institution__in=user.organisation_ids(Role.TRAINER),
            training_class__status=TrainingClass.Status.IN_PROGRESS,
            status=ClassSession.Status.SCHEDULED,
            ends_at__lte=at,
        )
    if Role.INSTITUTION_ADMIN in user.roles:
        waiting |= _of_institution(user)
    if Role.OFFICER in user.roles:
        waiting |= _of_officer(user)
    if user.roles & {Role.INSTITUTION_ADMIN, Role.OFFICER}:
        waiting["claims_to_decide"] = PersonClaim.objects.visible_to(user).filter(
            status=PersonClaim.Status.WAITING
        )
    return waiting


def _of_trainee(person_id: UUID, at: datetime) -> dict[str, QuerySet[Any]]:
    return {
        "offers_to_accept": Enrolment.objects.filter(
            person_id=person_id, status=Enrolment.Status.OFFERED, offer_expires_at__gt=at
        ),
        "follow_ups_to_answer": FollowUpTask.objects.filter(
            enrolment__person_id=person_id,
            status__in=[FollowUpTask.Status.OPEN, FollowUpTask.Status.IN_CONTACT],
        ).due_on(local_day(at)),
    }


def _of_institution(user: User) -> dict[str, QuerySet[Any]]:
    own = user.organisation_ids(Role.INSTITUTION_ADMIN)
    return {
        "applications_to_decide": Enrolment.objects.filter(
            training_class__institution__in=own, status=Enrolment.Status.APPLIED
        ),
        "classes_returned": TrainingClass.objects.filter(
            institution__in=own, status=TrainingClass.Status.RETURNED
        ),
    }


def _of_officer(user: User) -> dict[str, QuerySet[Any]]:
    return {
        "classes_to_decide": TrainingClass.objects.filter(
            user.in_region("region_id", Role.OFFICER), status=TrainingClass.Status.FILED
        ),
        "accreditations_to_decide": Accreditation.objects.filter(
            user.in_region("institution__region_id", Role.OFFICER),
            status=Accreditation.Status.APPLIED,
        ),
        "follow_ups_to_do": FollowUpTask.objects.filter(
            user.in_region("enrolment__training_class__region_id", Role.OFFICER),
            status__in=[FollowUpTask.Status.OPEN, FollowUpTask.Status.IN_CONTACT],
        ),
    }


def _labels(choices: type[TextChoices]) -> list[dict[str, str]]:
    return [{"value": value, "label": str(label)} for value, label in choices.choices]
