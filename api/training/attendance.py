"""Attendance: the roster of a session, what a trainee attended, and the sheet of a class."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as translate
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.downloads import SPREADSHEET, attachment
from api.inputs import Form, Moment, NoBody
from api.masked import MaskedPersonSerializer
from api.outputs import RowSerializer, version_of
from api.problems import Problem
from api.resource import Resource
from api.training.sessions import ClassSessionSerializer
from people.refusals import WrongStatus
from people.roles import Role
from training import attendance, attendance_rates, attendance_rosters
from training.models import AttendanceEvent, AttendanceRecord, ClassSession, Enrolment
from training.models import TrainingClass as Class

FLAGS = (
    "outside_fence",
    "mock_location",
    "shared_device",
    "clock_skew",
    "identical_position",
    "code_replay",
)
READERS = [Role.TRAINER, Role.INSTITUTION_ADMIN, Role.OFFICER, Role.AUDITOR]
MARKERS = [Role.TRAINER, Role.INSTITUTION_ADMIN]
REFUSED = [attendance.ClassClosed, attendance.ClassNotApproved, attendance.SessionCancelled]
MOMENT = Moment()


class FlagsField(serializers.ListField):
    """Leads for a person to follow, never verdicts."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(child=serializers.ChoiceField(choices=FLAGS), max_length=20, **kwargs)


class MinutesField(serializers.IntegerField):
    """Clock minutes, as many as a session or a class can have."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_value=1_000_000, **kwargs)


class RecordSerializer(RowSerializer[AttendanceRecord]):
    expandable = {"session": ClassSessionSerializer}
    # Empty for an absence that nobody entered.
    mode = serializers.ChoiceField(
        choices=AttendanceEvent.Mode.choices, allow_blank=True, read_only=True
    )
    flags = FlagsField(read_only=True)
    credited_minutes = MinutesField(read_only=True)

    class Meta:
        model = AttendanceRecord
        fields = [
            "id",
            "session_id",
            "enrolment_id",
            "status",
            "original_status",
            "mode",
            "in_at",
            "out_at",
            "credited_minutes",
            "flags",
            "note",
            "policy_id",
            "updated_at",
        ]
        read_only_fields = fields


class RosterRowSerializer(serializers.Serializer[Any]):
    enrolment_id = serializers.UUIDField()
    person = MaskedPersonSerializer()
    status = serializers.ChoiceField(choices=AttendanceRecord.Status.choices)
    record_id = serializers.UUIDField(allow_null=True)
    credited_minutes = MinutesField()
    in_at = Moment(allow_null=True)
    out_at = Moment(allow_null=True)
    mode = serializers.ChoiceField(choices=AttendanceEvent.Mode.choices, allow_blank=True)
    flags = FlagsField()


class RosterAnswer(serializers.Serializer[Any]):
    """Everybody on one page: a class has at most 500 seats."""

    results = serializers.ListField(child=RosterRowSerializer(), max_length=500)
    next = serializers.CharField(allow_null=True, max_length=4096)
    previous = serializers.CharField(allow_null=True, max_length=4096)


class RosterMarkForm(Form):
    enrolment_id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=[(m.value, m.label) for m in attendance_rates.MARKS])
    note = serializers.CharField(max_length=200, required=False, allow_blank=True)


class RosterForm(Form):
    marks = serializers.ListField(
        child=RosterMarkForm(), min_length=1, max_length=attendance_rosters.MAXIMUM
    )


class AttendanceAnswer(serializers.Serializer[Any]):
    """Ratios are of planned minutes, rounded half up to four decimals; without minutes null."""

    results = serializers.ListField(child=RecordSerializer(), max_length=2000)
    rate = serializers.DecimalField(max_digits=5, decimal_places=4, allow_null=True)
    rate_so_far = serializers.DecimalField(max_digits=5, decimal_places=4, allow_null=True)
    required_rate = serializers.DecimalField(max_digits=5, decimal_places=4)
    can_still_pass = serializers.BooleanField(allow_null=True)
    planned_minutes = MinutesField()
    credited_minutes = MinutesField()


class SessionRosters(Resource):
    """Who sits in a session, and what is known of their attendance."""

    tag = "attendance"
    noun = "roster"
    queryset = ClassSession.objects.select_related("training_class", "trainer")
    serializer_class = ClassSessionSerializer
    may = {"show": READERS, "mark": MARKERS, "finish": MARKERS}
    may_match = frozenset({"mark"})
    refuses = {
        "mark": [*REFUSED, attendance.SessionNotOpen],
        "finish": [*REFUSED, attendance.SessionNotOpen, WrongStatus],
    }

    @extend_schema(responses={200: RosterAnswer})
    def show(self, request: Request, pk: UUID) -> Response:
        """Show everybody who is admitted, with their attendance so far.

        Those of whom nothing is known yet are `unmarked` and have no record.
        """
        return self.roster(pk)

    @extend_schema(request=RosterForm, responses={200: RosterAnswer})
    def mark(self, request: Request, pk: UUID) -> Response:
        """Enter what the trainer saw, for all or some of the people.

        Marks are merged: whoever is not named stays as they are. With `If-Match`, nothing is
        entered if the roster has changed since. All marks are entered or none.
        """
        session = self.get_object()
        marks = self.form(RosterForm)["marks"]
        refuse_repeated(marks)
        self.check_roster(pk)
        try:
            attendance.mark(
                session, [attendance.Mark(**mark) for mark in marks], by=self.user, at=self.at
            )
        except attendance.NotOnRoster as refusal:
            detail = translate("There is no such record.")
            raise Problem(
                400, errors=pointed(refusal.facts["indexes"], "does_not_exist", detail)
            ) from refusal
        return self.roster(pk)

    @extend_schema(request=NoBody, responses={200: ClassSessionSerializer})
    def finish(self, request: Request, pk: UUID) -> Response:
        """End a session: whoever neither checked in nor was marked was absent.

        Possible from its start on. A check-in made offline that arrives in time still counts.
        """
        session = self.get_object()
        self.form(NoBody)
        return self.answer(attendance.finish(session, by=self.user, at=self.at))

    def roster(self, pk: UUID) -> Response:
        """Answer with the roster: one look decides on sight, on the role and on the rows."""
        found = attendance_rosters.roster_of(pk, by=self.user)
        if found is None:
            raise Problem(404)
        if not self.user.may_on([Role(role) for role in self.may[self.action]], found.scope):
            raise Problem(403)
        results = [shown_row(row) for row in found.rows]
        return Response(
            {"results": results, "next": None, "previous": None},
            headers={"ETag": f'"{version_of(results)}"'},
        )

    def check_roster(self, pk: UUID) -> None:
        """Refuse marks made on a roster that has changed since, if the caller says which."""
        given = self.request.META.get("HTTP_IF_MATCH")
        if given is not None:
            now = self.roster(pk)["ETag"]
            if now not in {tag.strip().removeprefix("W/") for tag in given.split(",")}:
                raise Problem(412, facts={"current_version": now.strip('"')})


def shown_row(row: attendance_rosters.RosterRow) -> dict[str, Any]:
    """Show one person of a roster; a plain dict, because classes are looked at all day."""
    return {
        "enrolment_id": row.enrolment_id,
        "person": {
            "id": row.person_id,
            "name": row.name,
            "id_number_masked": row.id_number_masked,
            "phone_masked": row.phone_masked,
        },
        "status": row.status or AttendanceRecord.Status.UNMARKED.value,
        "record_id": row.record_id,
        "credited_minutes": row.credited_minutes or 0,
        "in_at": row.in_at and MOMENT.to_representation(row.in_at),
        "out_at": row.out_at and MOMENT.to_representation(row.out_at),
        "mode": row.mode or "",
        "flags": row.flags or [],
    }


def refuse_repeated(marks: list[dict[str, Any]]) -> None:
    """Refuse a body that says two things of one person."""
    named = [mark["enrolment_id"] for mark in marks]
    first = {pk: index for index, pk in reversed(list(enumerate(named)))}
    repeated = [index for index, pk in enumerate(named) if index != first[pk]]
    if repeated:
        raise Problem(
            400, errors=pointed(repeated, "repeated", translate("This person is named twice."))
        )


def pointed(indexes: list[int], code: str, detail: str) -> list[dict[str, Any]]:
    """Name the marks that are wrong by their places in the body."""
    return [
        {"pointer": f"#/marks/{index}/enrolment_id", "code": code, "detail": detail}
        for index in indexes
    ]


class EnrolmentAttendance(Resource):
    """What one person attended of a class."""

    tag = "attendance"
    noun = "attendance"
    queryset = Enrolment.objects.select_related("training_class")
    may = {"show": [Role.TRAINEE, *READERS]}

    @extend_schema(responses={200: AttendanceAnswer})
    def show(self, request: Request, pk: UUID) -> Response:
        """Show the records of an enrolment, its rate, and whether it can still be enough.

        `rate` is of all sessions that were not cancelled, `rate_so_far` of those that are over.
        """
        enrolment = self.get_object()
        records = enrolment.records.order_by("session__starts_at", "id")
        rate = attendance_rates.rate_of(enrolment, at=self.at)
        return Response(
            {
                "results": RecordSerializer(records, many=True).data,
                "rate": attendance_rates.shown(rate.rate),
                "rate_so_far": attendance_rates.shown(rate.rate_so_far),
                "required_rate": attendance_rates.shown(rate.required_rate),
                "can_still_pass": rate.can_still_pass,
                "planned_minutes": rate.planned_minutes,
                "credited_minutes": rate.credited_minutes,
            }
        )


class AttendanceSheets(Resource):
    """The attendance of a class on paper."""

    tag = "attendance"
    noun = "attendance_sheet"
    may = {"show": [Role.INSTITUTION_ADMIN, Role.OFFICER, Role.AUDITOR]}

    @extend_schema(responses={(200, SPREADSHEET): OpenApiTypes.BINARY})
    def show(self, request: Request, class_id: UUID) -> HttpResponse:
        """Download the attendance sheet as a workbook, one column for each session."""
        training_class: Class = self.parent(Class.objects, "class_id")
        content = attendance_rosters.sheet(training_class, by=self.user, at=self.at)
        return attachment(content, SPREADSHEET, "attendance-sheet.xlsx")
