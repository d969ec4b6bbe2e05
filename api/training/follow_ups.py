"""Tasks of the follow-up: who is to be asked when, who tried, and what became of it."""

from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.access import SIGNED_IN
from api.filters import FlagFilter, RegionFilter
from api.inputs import Form, NoBody, ReasonForm
from api.masked import MaskedPersonSerializer
from api.outputs import RowSerializer
from api.resource import Listed, Readable
from api.training.observations import TASKS, link_for_officers
from people.models import StoredFile
from people.refusals import WrongStatus
from people.roles import Role
from training import exclusions, follow_ups, independence, observations
from training.models import ContactAttempt, FollowUpTask


class ExclusionAnswer(serializers.Serializer[Any]):
    code = serializers.ChoiceField(FollowUpTask.Exclusion.choices)
    document_id = serializers.UUIDField(allow_null=True)
    document_url = serializers.URLField(allow_null=True, max_length=500)
    proposed_by_id = serializers.UUIDField()
    approved_by_id = serializers.UUIDField(allow_null=True)


class FollowUpSerializer(RowSerializer[FollowUpTask]):
    person = MaskedPersonSerializer(source="enrolment.person", read_only=True)
    training_class_id = serializers.UUIDField(source="enrolment.training_class_id", read_only=True)
    class_name = serializers.CharField(
        source="enrolment.training_class.name", read_only=True, max_length=120
    )
    required_grade = serializers.IntegerField(read_only=True, min_value=0, max_value=4)
    attempts_count = serializers.IntegerField(read_only=True, min_value=0, max_value=10_000)
    exclusion = serializers.SerializerMethodField()

    class Meta:
        model = FollowUpTask
        fields = [
            "id",
            "enrolment_id",
            "person",
            "training_class_id",
            "class_name",
            "checkpoint",
            "required_grade",
            "due_on",
            "window_opens_on",
            "window_closes_on",
            "status",
            "closed_reason",
            "policy_id",
            "attempts_count",
            "exclusion",
        ]

    @extend_schema_field(ExclusionAnswer(allow_null=True))
    def get_exclusion(self, task: FollowUpTask) -> dict[str, Any] | None:
        """Show why somebody is excluded to officers only: some reasons are nobody else's."""
        if not task.exclusion_code:
            return None
        user = self.context["request"].user
        if not user.may_on([Role.OFFICER, Role.AUDITOR], task.scope):
            return None
        return {
            "code": task.exclusion_code,
            "document_id": task.exclusion_document_id,
            "document_url": link_for_officers(self, task.scope, task.exclusion_document),
            "proposed_by_id": task.exclusion_proposed_by_id,
            "approved_by_id": task.exclusion_approved_by_id,
        }


class FollowUpFilters(filters.FilterSet):
    mine = FlagFilter(method="filter_mine", label=_("Only those about oneself."))
    due = filters.DateFilter(method="filter_due", label=_("The window is open on this day."))
    status = filters.ChoiceFilter(choices=FollowUpTask.Status.choices)
    checkpoint = filters.CharFilter(max_length=10)
    training_class = filters.UUIDFilter(field_name="enrolment__training_class")
    region = RegionFilter("enrolment__training_class__region_id")

    class Meta:
        model = FollowUpTask
        fields: list[str] = []

    def filter_mine(self, queryset: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:  # noqa: FBT001
        own = self.request.user.person_id
        return queryset.filter(enrolment__person_id=own) if value else queryset

    def filter_due(self, queryset: Any, name: str, value: date) -> QuerySet[Any]:
        rows: QuerySet[Any] = queryset.due_on(value)
        return rows


class ExclusionForm(Form):
    code = serializers.ChoiceField(FollowUpTask.Exclusion.choices)
    document_id = serializers.UUIDField(required=False)


OFFICER = [Role.OFFICER]


class FollowUps(Readable):
    """One question to one person at one checkpoint after completion."""

    tag = "follow-ups"
    noun = "follow-up"
    queryset = TASKS.select_related("exclusion_document").annotate(attempts_count=Count("attempts"))
    serializer_class = FollowUpSerializer
    filterset_class = FollowUpFilters
    may = {
        "list": SIGNED_IN,
        "retrieve": SIGNED_IN,
        "verify": OFFICER,
        "close": OFFICER,
        "mark_unreachable": OFFICER,
        "refuse": OFFICER,
        "reopen": OFFICER,
        "exclude": OFFICER,
    }
    refuses = {
        "verify": [
            WrongStatus,
            independence.OwnInstitution,
            observations.EvidenceTooWeak,
            observations.OwnEvidence,
        ],
        "close": [WrongStatus],
        "mark_unreachable": [WrongStatus, follow_ups.StillReachable],
        "refuse": [WrongStatus, follow_ups.NoContactRecord],
        "reopen": [WrongStatus],
        "exclude": [
            WrongStatus,
            independence.OwnInstitution,
            independence.OwnRequest,
            exclusions.ExclusionProposed,
            exclusions.NoExclusionProposed,
            exclusions.ExclusionDiffers,
            exclusions.ExclusionUnproven,
        ],
    }
    ordering = ("due_on", "id")

    @extend_schema(request=NoBody, responses={200: FollowUpSerializer})
    def verify(self, request: Request, pk: UUID) -> Response:
        """Verify what was observed, as somebody who did not enter it.

        Work has to be proven to the checkpoint's grade; a job that is named is then confirmed.
        """
        task = self.get_object()
        self.form(NoBody)
        return self.answer(observations.verify(task, by=self.user, at=self.at))

    @extend_schema(request=NoBody, responses={200: FollowUpSerializer})
    def close(self, request: Request, pk: UUID) -> Response:
        """Put a verified task away."""
        task = self.get_object()
        self.form(NoBody)
        return self.answer(follow_ups.close(task, by=self.user, at=self.at))

    @extend_schema(request=NoBody, responses={200: FollowUpSerializer})
    def mark_unreachable(self, request: Request, pk: UUID) -> Response:
        """Give up on reaching the person.

        Only by the contact rule: enough attempts on enough channels and days, one of them asking
        locally, and the window closed.
        """
        task = self.get_object()
        self.form(NoBody)
        return self.answer(follow_ups.mark_unreachable(task, by=self.user, at=self.at))

    @extend_schema(request=NoBody, responses={200: FollowUpSerializer})
    def refuse(self, request: Request, pk: UUID) -> Response:
        """Note that the person, once reached, does not want to answer."""
        task = self.get_object()
        self.form(NoBody)
        return self.answer(follow_ups.refuse(task, by=self.user, at=self.at))

    @extend_schema(request=ReasonForm, responses={200: FollowUpSerializer})
    def reopen(self, request: Request, pk: UUID) -> Response:
        """Take a task up again that was closed, given up or missed."""
        task = self.get_object()
        asked = self.form(ReasonForm)
        return self.answer(follow_ups.reopen(task, by=self.user, at=self.at, **asked))

    @extend_schema(request=ExclusionForm, responses={200: FollowUpSerializer})
    def exclude(self, request: Request, pk: UUID) -> Response:
        """Propose an exclusion, or approve another officer's proposal.

        The first officer's call proposes; a second officer's call with the same code excludes.
        One of the two attaches the document.
        """
        task = self.get_object()
        asked = self.form(ExclusionForm)
        document_id = asked.pop("document_id", None)
        if document_id:
            asked["document"] = self.visible(StoredFile, document_id, "document_id")
        first = task.exclusion_proposed_by_id in {None, self.user.pk}
        verb = exclusions.propose if first else exclusions.approve
        return self.answer(verb(task, by=self.user, at=self.at, **asked))


class AttemptSerializer(RowSerializer[ContactAttempt]):
    task_status = serializers.ChoiceField(
        FollowUpTask.Status.choices, source="task.status", read_only=True
    )

    class Meta:
        model = ContactAttempt
        fields = ["id", "task_id", "task_status", "channel", "result", "note", "by_id", "at"]


class AttemptForm(Form):
    channel = serializers.ChoiceField(ContactAttempt.Channel.choices)
    result = serializers.ChoiceField(ContactAttempt.Result.choices)
    note = serializers.CharField(max_length=500, default="", allow_blank=True)


class ContactAttempts(Listed):
    """The tries to reach one person at one checkpoint."""

    tag = "follow-ups"
    noun = "contact attempt"
    queryset = ContactAttempt.objects.select_related("task")
    serializer_class = AttemptSerializer
    may = {
        "list": [Role.OFFICER, Role.AUDITOR, Role.INSTITUTION_ADMIN],
        "create": [Role.OFFICER, Role.INSTITUTION_ADMIN],
    }
    sight_suffices = frozenset()
    refuses = {"create": [WrongStatus, follow_ups.WindowNotOpen]}
    ordering = ("-at", "-id")

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(task=self.kwargs["task_id"])

    def list(self, request: Request, task_id: UUID) -> Response:
        """List the tries to reach the person, the latest first."""
        self.parent(TASKS, "task_id")
        return super().list(request)

    @extend_schema(request=AttemptForm, responses={201: AttemptSerializer})
    def create(self, request: Request, task_id: UUID) -> Response:
        """Log a try to reach the person.

        `reached` puts the task in contact; `refused` ends it as refused if an officer logs it, the
        institution's word does not. Anything else counts towards the contact rule.
        """
        task = self.parent(TASKS, "task_id")
        asked = self.form(AttemptForm)
        return self.answer(follow_ups.attempt(task, by=self.user, at=self.at, **asked), 201)
