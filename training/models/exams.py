"""Final exams and their results."""

from dataclasses import replace
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from people.models.base import Row, one_of
from people.roles import Role, Scope
from training.models.classes import TrainingClass, TrainingClassQuerySet
from training.models.enrolments import ON_ROSTER, Enrolment

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from people.models import User


class ExamQuerySet(models.QuerySet["Exam"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """For those who sit it, teach for it, or answer for the class."""
        return self.filter(training_class__in=classes_examined_for(user))


def classes_examined_for(user: "User | AnonymousUser") -> TrainingClassQuerySet:
    """Find the classes whose exams concern somebody: not everybody who can see the class."""
    if user.is_anonymous:
        return TrainingClass.objects.none()
    sitting = Enrolment.objects.filter(person=user.person_id, status__in=ON_ROSTER)
    taught = TrainingClass.objects.filter(
        institution__in=user.organisation_ids(Role.TRAINER), sessions__trainer__user=user
    )
    return TrainingClass.objects.filter(
        (Q(pk__in=sitting.values("training_class")) if user.person_id else Q(pk__in=[]))
        | Q(pk__in=taught.values("pk"))
        | Q(institution__in=user.organisation_ids(Role.INSTITUTION_ADMIN))
        | user.in_region("region_id")
    )


class Exam(Row):
    training_class = models.ForeignKey(
        TrainingClass, on_delete=models.PROTECT, related_name="exams"
    )
    # 1 is the exam, higher numbers are resits.
    attempt = models.PositiveSmallIntegerField()
    held_on = models.DateField()
    name = models.CharField(max_length=80)
    pass_mark = models.DecimalField(max_digits=5, decimal_places=2)
    policy_id = models.UUIDField(null=True)
    created_by = models.ForeignKey("people.User", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    objects = ExamQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="exam_attempt_once_per_class", fields=["training_class", "attempt"]
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def scope(self) -> Scope:
        """The class's, with its own trainers: others of the institution do not mark it."""
        trainers = (
            self.training_class.sessions.planned()
            .exclude(trainer__user=None)
            .values_list("trainer__user_id", flat=True)
        )
        return replace(
            self.training_class.scope,
            trainer_user_ids=frozenset(trainers),
        )


class ExamResultQuerySet(models.QuerySet["ExamResult"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        return self.filter(enrolment__in=Enrolment.objects.visible_to(user))


class ExamResultOutcome(models.TextChoices):
    PASSED = "passed", _("Passed")
    FAILED = "failed", _("Failed")
    ABSENT = "absent", _("Absent")


class ExamResult(Row):
    Outcome = ExamResultOutcome

    exam = models.ForeignKey(Exam, on_delete=models.PROTECT, related_name="results")
    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="exam_results")
    # Points of 100; empty when absent.
    score = models.DecimalField(max_digits=5, decimal_places=2, null=True)
    outcome = models.CharField(max_length=6, choices=Outcome.choices)
    recorded_by = models.ForeignKey("people.User", on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    objects = ExamResultQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("outcome", ExamResultOutcome, "result_outcome_is_known"),
            models.UniqueConstraint(name="result_once_per_exam", fields=["exam", "enrolment"]),
            models.CheckConstraint(
                name="result_score_is_of_a_hundred",
                condition=Q(score__isnull=True) | Q(score__range=(0, 100)),
            ),
            models.CheckConstraint(
                name="result_absent_has_no_score",
                condition=Q(outcome="absent", score__isnull=True)
                | ~Q(outcome="absent") & Q(score__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.outcome
