"""Closing a class, and what it would do."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.inputs import Moment, NoBody
from api.masked import MaskedPersonSerializer
from api.resource import Resource
from people.refusals import WrongStatus
from people.roles import Role
from training import attendance_rates, closings
from training.models import Enrolment, TrainingClass

MOST = 500
OUTCOMES = [
    Enrolment.Status.COMPLETED.value,
    Enrolment.Status.FAILED.value,
    Enrolment.Status.NO_SHOW.value,
]
REASONS = [
    closings.LOW_ATTENDANCE,
    closings.EXAM_FAILED,
    closings.NEVER_CAME,
    closings.RESULT_MISSING,
]


class DecisionSerializer(serializers.Serializer[Any]):
    """What becomes of one person; ``outcome`` is null while a result is missing."""

    enrolment_id = serializers.UUIDField(source="enrolment.pk")
    person = MaskedPersonSerializer(source="enrolment.person")
    outcome = serializers.ChoiceField(OUTCOMES, allow_null=True)
    reason = serializers.ChoiceField(REASONS, allow_null=True)
    rate = serializers.RegexField(r"^[01]\.[0-9]{4}$", max_length=6, allow_null=True)
    required_rate = serializers.RegexField(r"^[01]\.[0-9]{4}$", max_length=6)
    undrawable_characters = serializers.ListField(
        child=serializers.RegexField(r"^U\+[0-9A-F]{4,6}$", max_length=8),
        max_length=60,
        help_text="Characters of the name that the certificate's font lacks; it is issued anyway.",
    )

    def to_representation(self, instance: closings.Decision) -> dict[str, Any]:
        return {
            "enrolment_id": str(instance.enrolment.pk),
            "person": MaskedPersonSerializer(instance.enrolment.person).data,
            "outcome": instance.outcome or None,
            "reason": instance.reason or None,
            "rate": attendance_rates.shown(instance.rate.rate),
            "required_rate": attendance_rates.shown(instance.rate.required_rate),
            "undrawable_characters": list(instance.undrawable),
        }


class PreviewAnswer(serializers.Serializer[Any]):
    training_class_id = serializers.UUIDField(source="training_class.pk")
    can_close = serializers.BooleanField()
    sessions_open = serializers.IntegerField(min_value=0, max_value=10_000)
    decisions = DecisionSerializer(many=True)


class ClosingAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="training_class.pk", help_text="The class.")
    status = serializers.ChoiceField(
        [TrainingClass.Status.CLOSED.value], source="training_class.status"
    )
    closed_at = Moment(source="training_class.closed_at")
    certificates_issued = serializers.IntegerField(min_value=0, max_value=MOST)
    decisions = DecisionSerializer(many=True)


class Closings(Resource):
    """The end of a class."""

    tag = "classes"
    noun = "closing"
    queryset = TrainingClass.objects.all()
    serializer_class = ClosingAnswer
    may = {
        "preview": [Role.INSTITUTION_ADMIN, Role.OFFICER, Role.AUDITOR],
        "close": [Role.INSTITUTION_ADMIN],
    }
    refuses = {"close": [WrongStatus, closings.SessionsNotOver, closings.ResultsMissing]}

    @extend_schema(responses={200: PreviewAnswer})
    def preview(self, request: Request, pk: UUID) -> Response:
        """Show what closing would do now, for everybody admitted and why.

        Whoever never came is a no-show; who attended too little or failed the exam has not
        completed; who reached the rate and passed has. Where a result is missing there is no
        outcome yet, and the class cannot be closed.
        """
        found = closings.preview(self.get_object(), at=self.at)
        return Response(PreviewAnswer(found).data)

    @extend_schema(request=NoBody, responses={200: ClosingAnswer})
    def close(self, request: Request, pk: UUID) -> Response:
        """Close the class.

        Decides every admitted enrolment, issues the certificates, plans the follow-up and tells
        everybody, all of it or nothing.
        """
        self.form(NoBody)
        closing = closings.close(self.get_object(), by=self.user, at=self.at)
        data = ClosingAnswer(
            {
                "training_class": closing.training_class,
                "certificates_issued": len(closing.certificates),
                "decisions": closing.decisions,
            }
        ).data
        return Response(data)
