"""Answers of trainees and observations of others, at a checkpoint of the follow-up."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import (
    OpenApiExample,
    extend_schema,
    extend_schema_field,
    extend_schema_serializer,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import downloads
from api.access import SIGNED_IN
from api.inputs import wrong
from api.outputs import RowSerializer
from api.resource import Listed
from api.training.jobs import JobForm, read_job, refuse_job
from people.days import local_day
from people.models import StoredFile
from people.models.persons import sealed
from people.refusals import NotYours, WrongStatus
from people.roles import Role, Scope
from training import follow_ups, observations
from training.models import FollowUpTask, OutcomeObservation

Situation = OutcomeObservation.Situation
TASKS = FollowUpTask.objects.select_related("enrolment__person", "enrolment__training_class").defer(
    *sealed("enrolment__person")
)
# Somebody in one of these has a job or a traineeship to tell of.
AT_WORK = {Situation.EMPLOYED, Situation.TRAINEESHIP}


def link_for_officers(
    serializer: serializers.BaseSerializer[Any], scope: Scope, document: StoredFile | None
) -> str | None:
    """Give an officer of the region an address under which the evidence can be read."""
    user = serializer.context["request"].user
    if document is None or not user.may_on([Role.OFFICER, Role.AUDITOR], scope):
        return None
    return downloads.link(document, to=user)


class ObservationSerializer(RowSerializer[OutcomeObservation]):
    task_status = serializers.ChoiceField(
        FollowUpTask.Status.choices, source="task.status", read_only=True
    )
    satisfaction = serializers.IntegerField(
        read_only=True, min_value=1, max_value=5, allow_null=True
    )
    grade = serializers.IntegerField(
        read_only=True, min_value=0, max_value=4, help_text="E0–E4, computed from the evidence."
    )

    # For officers in scope, who have to read it before they verify.
    document_url = serializers.SerializerMethodField()

    class Meta:
        model = OutcomeObservation
        fields = [
            "id",
            "task_id",
            "task_status",
            "source",
            "situation",
            "as_of",
            "spell_id",
            "relation",
            "help_wanted",
            "satisfaction",
            "note",
            "document_id",
            "document_url",
            "grade",
            "by_id",
            "at",
        ]

    @extend_schema_field(serializers.URLField(allow_null=True, max_length=500))
    def get_document_url(self, observation: OutcomeObservation) -> str | None:
        return link_for_officers(self, observation.scope, observation.document)


class FindingForm(JobForm):
    """What is said of somebody's situation; members about a job only when there is one."""

    situation = serializers.ChoiceField(Situation.choices, required=False)
    help_wanted = serializers.BooleanField(default=False)
    note = serializers.CharField(max_length=500, default="", allow_blank=True)

    def finding(self, attrs: dict[str, Any], situation: str) -> dict[str, Any]:
        """Tell the members of a finding apart from those of its job."""
        job = None
        if situation in AT_WORK:
            job = read_job(attrs, today=local_day(timezone.now()))
            if job.form == "traineeship":
                # A traineeship is no employment, whatever it is called.
                situation = Situation.TRAINEESHIP
        else:
            refuse_job(attrs)
        finding: dict[str, Any] = {
            "situation": situation,
            "job": job,
            "help_wanted": attrs["help_wanted"],
            "note": attrs["note"],
        }
        if "relation" in attrs:
            finding["relation"] = attrs["relation"]
        return finding


@extend_schema_field({"oneOf": [{"type": "boolean"}, {"type": "string", "enum": ["unknown"]}]})
class WorkingField(serializers.Field[Any, Any, Any, Any]):
    """True, false, or the word ``unknown``."""

    default_error_messages = {"invalid": _('Either true, false or "unknown".')}

    def to_internal_value(self, data: Any) -> Any:
        if data is not True and data is not False and data != "unknown":
            self.fail("invalid")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "At work",
            {
                "working": True,
                "employment_form": "unit_contract",
                "employer_name": "示例家政服务有限公司",
                "employer_credit_code": "91330100MA27XL0X1W",
                "job_title": "护理员",
                "starts_on": "2026-03-02",
                "still_working": True,
                "monthly_wage": "4500.00",
                "contract": True,
                "relation": "same_occupation",
                "satisfaction": 5,
                "help_wanted": False,
            },
            request_only=True,
        ),
        OpenApiExample(
            "Without work",
            {
                "working": False,
                "situation": "seeking",
                "help_wanted": True,
                "satisfaction": 4,
            },
            request_only=True,
        ),
    ]
)
class AnswerForm(FindingForm):
    working = WorkingField()
    satisfaction = serializers.IntegerField(
        min_value=1, max_value=5, required=False, allow_null=True
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        situation = self._situation(attrs["working"], attrs.get("situation"))
        finding = self.finding(attrs, situation)
        return finding | {"satisfaction": attrs.get("satisfaction")}

    def _situation(self, working: Any, said: str | None) -> str:
        if working is True:
            allowed = [Situation.EMPLOYED, Situation.TRAINEESHIP]
        elif working is False:
            allowed = [each for each in Situation if each != Situation.EMPLOYED]
            if said is None:
                self._refuse(_("Say what you do instead; unknown and refused are answers too."))
        else:
            allowed = [Situation.UNKNOWN, Situation.REFUSED]
        if said is not None and said not in allowed:
            self._refuse(_("This does not go with what was said about working."))
        return said or str(allowed[0])

    def _refuse(self, sentence: Any) -> None:
        raise wrong("situation", "contradiction", sentence)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "At work",
            {
                "situation": "employed",
                "employment_form": "unit_contract",
                "employer_name": "示例家政服务有限公司",
                "employer_credit_code": "91330100MA27XL0X1W",
                "job_title": "护理员",
                "starts_on": "2026-03-02",
                "still_working": True,
                "monthly_wage": "4500.00",
                "contract": True,
                "relation": "same_occupation",
                "source": "officer",
                "as_of": "2026-04-02",
                "note": "已核对",
            },
            request_only=True,
        ),
        OpenApiExample(
            "Could not be asked",
            {"situation": "unknown", "source": "officer", "note": "无人接听"},
            request_only=True,
        ),
    ]
)
class ObservationForm(FindingForm):
    situation = serializers.ChoiceField(Situation.choices)
    source = serializers.ChoiceField(  # type: ignore[assignment]  # as the body calls it
        [choice for choice in observations.Source.choices if choice[0] != "trainee"],
        required=False,
    )
    as_of = serializers.DateField(required=False)
    document_id = serializers.UUIDField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        finding = self.finding(attrs, attrs["situation"])
        kept = {name: attrs[name] for name in ("source", "as_of", "document_id") if name in attrs}
        return finding | kept


class Observations(Listed):
    """What was learnt at one checkpoint, from whom, and how well it is proven."""

    tag = "follow-ups"
    noun = "observation"
    queryset = OutcomeObservation.objects.select_related(
        "task__enrolment__training_class", "document"
    )
    serializer_class = ObservationSerializer
    may = {
        "list": SIGNED_IN,
        "answer_task": [Role.TRAINEE],
        "observe": [Role.OFFICER, Role.INSTITUTION_ADMIN],
    }
    refuses = {
        "answer_task": [NotYours, WrongStatus, follow_ups.WindowNotOpen],
        "observe": [
            NotYours,
            WrongStatus,
            follow_ups.WindowNotOpen,
            observations.DocumentRequired,
            observations.AsOfImpossible,
        ],
    }
    ordering = ("-at", "-id")

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(task=self.kwargs["task_id"])

    def list(self, request: Request, task_id: UUID) -> Response:
        """List what was learnt at a checkpoint, the latest first."""
        self.parent(TASKS, "task_id")
        return super().list(request)

    @extend_schema(request=AnswerForm, responses={201: ObservationSerializer})
    def answer_task(self, request: Request, task_id: UUID) -> Response:
        """Answer a checkpoint about oneself.

        `working` true asks for the job: `employment_form` (or `contract`), `employer_name`,
        `starts_on`, and `ends_on` if it is over. `working` false asks for `situation`, in which
        `unknown` and `refused` are answers too. Accepted while the window is open; a later answer
        stands beside an earlier one. An answer of `unknown` or `refused` is kept with grade 0, and
        the task stays to be answered. The job goes on the person's record or is linked to it.
        """
        task = self.parent(TASKS, "task_id")
        said = observations.Finding(**self.form(AnswerForm))
        return self.answer(observations.answer(task, said, by=self.user, at=self.at), 201)

    @extend_schema(request=ObservationForm, responses={201: ObservationSerializer})
    def observe(self, request: Request, task_id: UUID) -> Response:
        """Enter what was learnt about the trainee.

        The evidence grade is computed from the source and the document. Somebody of the
        institution speaks as `institution`; `third_party` and `registry` need their document.
        """
        task = self.parent(TASKS, "task_id")
        asked = self.form(ObservationForm)
        document_id = asked.pop("document_id", None)
        if document_id:
            asked["document"] = self.visible(StoredFile, document_id, "document_id")
        seen = observations.Finding(**asked)
        return self.answer(observations.observe(task, seen, by=self.user, at=self.at), 201)
