"""Exams of a class, and the results of an exam."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, QuerySet
from django.utils.translation import gettext as translate
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import (
    OpenApiExample,
    extend_schema,
    extend_schema_serializer,
)
from rest_framework import serializers
from rest_framework.mixins import RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from api.access import SIGNED_IN
from api.inputs import Form, Moment
from api.masked import MaskedPersonSerializer
from api.outputs import RowSerializer
from api.problems import Problem
from api.resource import Listed, Resource
from people.models.persons import sealed
from people.refusals import IdTaken, WrongStatus
from people.roles import Role
from training import exams
from training.models import Enrolment, Exam, ExamResult, TrainingClass
from training.models.exams import classes_examined_for

MOST_RESULTS = 500
EXAMS = Exam.objects.select_related("training_class").annotate(
    results_count=Count("results"), results_changed_at=Max("results__recorded_at")
)


class ExamSerializer(RowSerializer[Exam]):
    """``version`` changes with every result, so that it can guard the whole list of them."""

    attempt = serializers.IntegerField(read_only=True, min_value=1, max_value=10)
    pass_mark = serializers.DecimalField(
        max_digits=5, decimal_places=2, min_value=0, max_value=100, read_only=True
    )
    results_count = serializers.IntegerField(read_only=True, min_value=0, max_value=MOST_RESULTS)
    results_changed_at = Moment(read_only=True, allow_null=True)

    class Meta:
        model = Exam
        fields = [
            "id",
            "training_class_id",
            "attempt",
            "held_on",
            "name",
            "pass_mark",
            "policy_id",
            "created_at",
            "results_count",
            "results_changed_at",
        ]


class ExamForm(Form):
    id = serializers.UUIDField(required=False)
    held_on = serializers.DateField()
    name = serializers.CharField(max_length=80, required=False)


class ClassExams(Listed):
    """The attempts at the final exam of one class."""

    tag = "exams"
    noun = "exam"
    queryset = EXAMS
    serializer_class = ExamSerializer
    may = {"list": SIGNED_IN, "create": [Role.INSTITUTION_ADMIN]}
    refuses = {
        "create": [WrongStatus, IdTaken, exams.AttemptsUsedUp, exams.ExamOutOfOrder],
    }
    ordering = ("attempt", "id")

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(training_class=self.kwargs["class_id"])

    def list(self, request: Request, class_id: UUID) -> Response:
        """List the attempts at the exam, the first one first.

        For those who sit it or may, teach the class, or answer for it.
        """
        self.parent(classes_examined_for(self.user), "class_id")
        return super().list(request)

    @extend_schema(request=ExamForm, responses={201: ExamSerializer})
    def create(self, request: Request, class_id: UUID) -> Response:
        """Set the day of the next attempt.

        The first one is the exam, those after it are resits, as many as the policy gives. The
        pass mark in force on that day is kept with the exam.
        """
        training_class = self.parent(TrainingClass.objects, "class_id")
        asked = self.form(ExamForm)
        asked.setdefault("name", translate("Final exam"))
        exam = exams.schedule(training_class, by=self.user, at=self.at, **asked)
        return self.answer(exam, 201)


class Exams(RetrieveModelMixin, Resource):
    """One attempt at the final exam."""

    tag = "exams"
    noun = "exam"
    queryset = EXAMS
    serializer_class = ExamSerializer
    may = {"retrieve": SIGNED_IN}

    def retrieve(self, request: Request, pk: UUID) -> Response:
        """Show an exam."""
        return super().retrieve(request)


class ResultSerializer(RowSerializer[ExamResult]):
    person = MaskedPersonSerializer(source="enrolment.person", read_only=True)
    score = serializers.DecimalField(
        max_digits=5,
        decimal_places=2,
        min_value=0,
        max_value=100,
        read_only=True,
        allow_null=True,
    )

    class Meta:
        model = ExamResult
        fields = [
            "id",
            "exam_id",
            "enrolment_id",
            "person",
            "score",
            "outcome",
            "recorded_by_id",
            "recorded_at",
        ]


class MarkForm(Form):
    enrolment_id = serializers.UUIDField()
    score = serializers.DecimalField(
        max_digits=5, decimal_places=2, min_value=0, max_value=100, allow_null=True, default=None
    )
    absent = serializers.BooleanField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        nothing = attrs["score"] is None
        if attrs.get("absent", nothing) != nothing:
            raise serializers.ValidationError(
                {"absent": [_("Whoever was absent has no score, and nobody else lacks one.")]},
                code="contradiction",
            )
        return attrs


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Results",
            {
                "results": [
                    {"enrolment_id": "0198c0de-7a3b-7c4d-8e5f-0123456789ab", "score": "80.00"},
                    {"enrolment_id": "0198c0de-7a3b-7c4d-8e5f-0123456789ac", "absent": True},
                ]
            },
            request_only=True,
        ),
    ]
)
class ResultsForm(Form):
    results = MarkForm(many=True, allow_empty=False, max_length=MOST_RESULTS)  # type: ignore[call-arg]


class ResultsAnswer(serializers.Serializer[Any]):
    results = ResultSerializer(many=True)


class ExamResults(Listed):
    """What people scored in one exam."""

    tag = "exams"
    noun = "result"
    queryset = ExamResult.objects.select_related("enrolment__person").defer(
        *sealed("enrolment__person")
    )
    serializer_class = ResultSerializer
    may = {"list": SIGNED_IN, "record": [Role.INSTITUTION_ADMIN, Role.TRAINER]}
    refuses = {
        "record": [
            WrongStatus,
            exams.ExamNotHeldYet,
            exams.NotAdmitted,
            exams.AttendanceTooLow,
            exams.NotForResit,
            exams.ResitRecorded,
        ],
    }
    may_match = frozenset({"record"})
    ordering = ("enrolment_id", "id")

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(exam=self.kwargs["exam_id"])

    def list(self, request: Request, exam_id: UUID) -> Response:
        """List the results that the caller may see: a trainee's own, staff's all."""
        self.parent(Exam.objects.select_related("training_class"), "exam_id")
        return super().list(request)

    @extend_schema(request=ResultsForm, responses={200: ResultsAnswer})
    def record(self, request: Request, exam_id: UUID) -> Response:
        """Enter or change results.

        Those who are not named keep theirs. A score of null means absent. `If-Match` with the
        exam's version, if sent, refuses to overwrite what somebody else entered meanwhile.
        """
        exam = self.parent(Exam.objects.select_related("training_class"), "exam_id")
        asked = self.form(ResultsForm)["results"]
        self._refuse_unknown(exam, [each["enrolment_id"] for each in asked])
        Exams(request=request, kwargs={}, action="retrieve", format_kwarg=None).check_version(exam)
        marks = [exams.Mark(each["enrolment_id"], each["score"]) for each in asked]
        exams.record_results(exam, marks, by=self.user, at=self.at)
        rows = self.get_queryset().order_by(*self.ordering)
        return Response({"results": self.get_serializer(rows, many=True).data})

    def _refuse_unknown(self, exam: Exam, given: Sequence[UUID]) -> None:
        known = set(
            Enrolment.objects.filter(
                training_class=exam.training_class_id, pk__in=given
            ).values_list("pk", flat=True)
        )
        errors = []
        for index, enrolment_id in enumerate(given):
            pointer = f"#/results/{index}/enrolment_id"
            if enrolment_id not in known:
                detail = translate("There is no such enrolment in this class.")
                errors.append({"pointer": pointer, "code": "does_not_exist", "detail": detail})
            elif enrolment_id in given[:index]:
                detail = translate("This enrolment is named twice.")
                errors.append({"pointer": pointer, "code": "duplicate", "detail": detail})
        if errors:
            raise Problem(400, errors=errors)
