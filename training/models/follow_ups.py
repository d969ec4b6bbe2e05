"""Asking again after completion: tasks, attempts to reach someone, and what was observed."""

from datetime import date
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from people.models.base import Row, one_of
from people.roles import Role, Scope
from training.models.enrolments import Enrolment

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from people.models import User


class FollowUpQuerySet(models.QuerySet["FollowUpTask"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """One's own; the institution's trainees; the region's."""
        if user.is_anonymous:
            return self.none()
        return self.filter(
            (Q(enrolment__person_id=user.person_id) if user.person_id else Q(pk__in=[]))
            | Q(
                enrolment__training_class__institution__in=user.organisation_ids(
                    Role.INSTITUTION_ADMIN
                )
            )
            | user.in_region("enrolment__training_class__region_id")
        )

    def due_on(self, day: date) -> Self:
        """Keep those whose window is open on the local day."""
        return self.filter(window_opens_on__lte=day, window_closes_on__gte=day)


class FollowUpTaskStatus(models.TextChoices):
    SCHEDULED = "scheduled", _("Scheduled")
    OPEN = "open", _("Open")
    IN_CONTACT = "in_contact", _("In contact")
    OBSERVED = "observed", _("Observed")
    VERIFIED = "verified", _("Verified")
    CLOSED = "closed", _("Closed")
    UNREACHABLE = "unreachable", _("Unreachable")
    REFUSED = "refused", _("Refused to answer")
    EXCLUDED = "excluded", _("Excluded")
    MISSED = "missed", _("Missed by the officer")


class FollowUpTaskExclusion(models.TextChoices):
    """The closed list of reasons that take somebody out of the denominator."""

    MILITARY = "military", _("Joined the army")
    RETIRED = "retired", _("Retired")
    IMPRISONED = "imprisoned", _("In custody")
    MOVED_ABROAD = "moved_abroad", _("Moved abroad")
    MEDICAL = "medical", _("Long medical treatment")
    DECEASED = "deceased", _("Deceased")


class FollowUpTask(Row):
    Status = FollowUpTaskStatus
    Exclusion = FollowUpTaskExclusion

    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="follow_ups")
    checkpoint = models.CharField(max_length=10)
    required_grade = models.PositiveSmallIntegerField()
    due_on = models.DateField()
    window_opens_on = models.DateField()
    window_closes_on = models.DateField()
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.SCHEDULED)
    # The protocol version in force on the anchor date; a later one rewrites nothing.
    policy_id = models.UUIDField(null=True)
    closed_reason = models.CharField(max_length=500, blank=True)
    # A task that was taken up again is not missed a second time by the clock.
    reopened_at = models.DateTimeField(null=True)
    # An exclusion is proposed by one person and approved by another.
    exclusion_code = models.CharField(max_length=12, choices=Exclusion.choices, blank=True)
    exclusion_proposed_by = models.ForeignKey(
        "people.User", null=True, on_delete=models.PROTECT, related_name="+"
    )
    exclusion_document = models.ForeignKey(
        "people.StoredFile", null=True, on_delete=models.PROTECT, related_name="+"
    )
    exclusion_approved_by = models.ForeignKey(
        "people.User", null=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = FollowUpQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("status", FollowUpTaskStatus, "follow_up_status_is_known"),
            models.UniqueConstraint(
                name="follow_up_once_per_checkpoint", fields=["enrolment", "checkpoint"]
            ),
            models.CheckConstraint(
                name="follow_up_exclusion_needs_two_people",
                condition=Q(exclusion_approved_by__isnull=True)
                | ~Q(exclusion_approved_by=F("exclusion_proposed_by")),
            ),
            models.CheckConstraint(
                name="follow_up_excluded_is_proven",
                condition=~Q(status="excluded")
                | ~Q(exclusion_code="")
                & Q(
                    exclusion_document__isnull=False,
                    exclusion_proposed_by__isnull=False,
                    exclusion_approved_by__isnull=False,
                ),
            ),
        ]
        indexes = [
            models.Index(name="follow_up_by_due", fields=["due_on", "id"]),
            models.Index(name="follow_up_by_status", fields=["status", "window_closes_on"]),
        ]

    def __str__(self) -> str:
        return f"{self.checkpoint} {self.status}"

    @property
    def scope(self) -> Scope:
        return self.enrolment.scope


class OfTaskQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """Whoever may see the task may see what was done for it."""
        return self.filter(task__in=FollowUpTask.objects.visible_to(user))


class ContactAttemptChannel(models.TextChoices):
    PHONE = "phone", _("Phone")
    SMS = "sms", _("Text message")
    WECHAT = "wechat", _("WeChat")
    APP = "app", _("App")
    HOME_VISIT = "home_visit", _("Home visit")
    COMMUNITY = "community_staff", _("Community staff")
    EMPLOYER = "employer", _("Employer")
    FAMILY = "family", _("Family")


class ContactAttemptResult(models.TextChoices):
    REACHED = "reached", _("Reached")
    NO_ANSWER = "no_answer", _("No answer")
    BUSY = "busy", _("Busy")
    WRONG_NUMBER = "wrong_number", _("Wrong number")
    NUMBER_DEAD = "number_dead", _("Number out of service")
    REFUSED = "refused", _("Refused")
    THIRD_PARTY_ONLY = "third_party_only", _("Only a third party")
    MOVED = "moved", _("Moved away")


class ContactAttempt(Row):
    """One try to reach someone; append-only."""

    Channel = ContactAttemptChannel
    Result = ContactAttemptResult

    task = models.ForeignKey(FollowUpTask, on_delete=models.PROTECT, related_name="attempts")
    channel = models.CharField(max_length=16, choices=Channel.choices)
    result = models.CharField(max_length=20, choices=Result.choices)
    note = models.CharField(max_length=500, blank=True)
    by = models.ForeignKey("people.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    objects = OfTaskQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("channel", ContactAttemptChannel, "attempt_channel_is_known"),
            one_of("result", ContactAttemptResult, "attempt_result_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.result}"

    @property
    def scope(self) -> Scope:
        return self.task.scope


class OutcomeObservationSource(models.TextChoices):
    TRAINEE = "trainee", _("The trainee")
    OFFICER = "officer", _("An officer in contact")
    INSTITUTION = "institution", _("The institution")
    THIRD_PARTY = "third_party", _("A third party's document")
    REGISTRY = "registry", _("An official register")


class OutcomeObservationSituation(models.TextChoices):
    EMPLOYED = "employed", _("Working")
    SEEKING = "seeking", _("Looking for work")
    FURTHER_STUDY = "further_study", _("Studying")
    TRAINEESHIP = "traineeship", _("In a traineeship")
    INACTIVE_CARE = "inactive_care", _("Caring for family")
    INACTIVE_HEALTH = "inactive_health", _("Not working for health reasons")
    INACTIVE_OTHER = "inactive_other", _("Not working for other reasons")
    UNKNOWN = "unknown", _("Unknown")
    REFUSED = "refused", _("Prefers not to say")


class OutcomeObservationRelation(models.TextChoices):
    SAME_OCCUPATION = "same_occupation", _("Same occupation")
    SAME_FIELD = "same_field", _("Same field")
    UNRELATED = "unrelated", _("Unrelated")
    UNKNOWN = "unknown", _("Unknown")


class OutcomeObservation(Row):
    """What was learnt about someone's situation on a day; append-only."""

    Source = OutcomeObservationSource
    Situation = OutcomeObservationSituation
    Relation = OutcomeObservationRelation

    task = models.ForeignKey(FollowUpTask, on_delete=models.PROTECT, related_name="observations")
    source = models.CharField(max_length=12, choices=Source.choices)
    situation = models.CharField(max_length=16, choices=Situation.choices)
    as_of = models.DateField()
    spell = models.ForeignKey(
        "people.EmploymentSpell", null=True, on_delete=models.PROTECT, related_name="observations"
    )
    relation = models.CharField(max_length=16, choices=Relation.choices, default=Relation.UNKNOWN)
    help_wanted = models.BooleanField(default=False)
    satisfaction = models.PositiveSmallIntegerField(null=True)
    note = models.CharField(max_length=500, blank=True)
    document = models.ForeignKey(
        "people.StoredFile", null=True, on_delete=models.PROTECT, related_name="+"
    )
    # E0–E4, computed from source and document, never typed.
    grade = models.PositiveSmallIntegerField()
    by = models.ForeignKey("people.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    objects = OfTaskQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("source", OutcomeObservationSource, "observation_source_is_known"),
            one_of("situation", OutcomeObservationSituation, "observation_situation_is_known"),
            models.CheckConstraint(name="observation_grade_is_e0_to_e4", condition=Q(grade__lte=4)),
            models.CheckConstraint(
                name="observation_institution_stays_below_e2",
                condition=~Q(source="institution") | Q(grade__lte=1),
            ),
            models.CheckConstraint(
                name="observation_satisfaction_is_one_to_five",
                condition=Q(satisfaction__isnull=True) | Q(satisfaction__range=(1, 5)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.situation} E{self.grade}"

    @property
    def scope(self) -> Scope:
        return self.task.scope
