"""Class sessions: one dated meeting with its room, its trainer and its check-in secret."""

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from people.crypto import EncryptedTextField
from people.days import midnight
from people.models.base import Row, one_of
from people.roles import Scope
from training.models.classes import TrainingClass
from training.models.enrolments import ON_ROSTER, Enrolment
from training.models.trainers import Trainer
from training.models.venues import Venue

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from people.models import User


class SessionQuerySet(models.QuerySet["ClassSession"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """A session is as visible as its class: the timetable of a published class is public."""
        return self.filter(training_class__in=TrainingClass.objects.visible_to(user))

    def of(self, user: "User") -> Self:
        """Keep those that the person attends, or did, and those that the account teaches."""
        taught = Q(trainer__user=user)
        if user.person_id is None:
            return self.filter(taught)
        attended = Enrolment.objects.filter(person=user.person_id, status__in=ON_ROSTER)
        return self.filter(taught | Q(training_class__in=attended.values("training_class")))

    def planned(self) -> Self:
        """Keep those that were not cancelled: the denominator of every rate."""
        return self.exclude(status=ClassSession.Status.CANCELLED)

    def overlapping(self, starts_at: datetime, ends_at: datetime) -> Self:
        """Keep those that share a minute with the period; touching is fine."""
        return self.planned().filter(starts_at__lt=ends_at, ends_at__gt=starts_at)

    def outside(self, first: date, last: date) -> Self:
        """Keep those that do not lie wholly within the local days."""
        return self.filter(
            Q(starts_at__lt=midnight(first)) | Q(ends_at__gt=midnight(last + timedelta(days=1)))
        )


class ClassSessionStatus(models.TextChoices):
    SCHEDULED = "scheduled", _("Scheduled")
    FINISHED = "finished", _("Finished")
    CANCELLED = "cancelled", _("Cancelled")


class ClassSessionPart(models.TextChoices):
    THEORY = "theory", _("Theory")
    PRACTICE = "practice", _("Practice")


class ClassSession(Row):
    Status = ClassSessionStatus
    Part = ClassSessionPart

    training_class = models.ForeignKey(
        TrainingClass, on_delete=models.PROTECT, related_name="sessions"
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    # Clock minutes that count towards the rate.
    planned_minutes = models.PositiveSmallIntegerField()
    part = models.CharField(max_length=10, choices=Part.choices, default=Part.THEORY)
    topic = models.CharField(max_length=120, blank=True)
    trainer = models.ForeignKey(
        Trainer, null=True, blank=True, on_delete=models.PROTECT, related_name="sessions"
    )
    venue = models.ForeignKey(
        Venue, null=True, blank=True, on_delete=models.PROTECT, related_name="sessions"
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.SCHEDULED)
    # Base32, for RFC 6238 TOTP with SHA-1 and six digits.
    secret = EncryptedTextField()
    reason = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()

    objects = SessionQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("status", ClassSessionStatus, "session_status_is_known"),
            one_of("part", ClassSessionPart, "session_part_is_known"),
            models.CheckConstraint(
                name="session_ends_after_it_starts", condition=Q(ends_at__gt=F("starts_at"))
            ),
            models.CheckConstraint(name="session_has_minutes", condition=Q(planned_minutes__gte=1)),
        ]
        indexes = [
            models.Index(name="session_by_class", fields=["training_class", "starts_at", "id"]),
            models.Index(name="session_by_start", fields=["starts_at", "id"]),
            models.Index(name="session_by_trainer", fields=["trainer", "starts_at"]),
            models.Index(name="session_by_venue", fields=["venue", "starts_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d %H:%M}"

    @property
    def scope(self) -> Scope:
        trainer = self.trainer.user_id if self.trainer else None
        return Scope(
            organisation_ids=frozenset({self.training_class.institution_id}),
            region_id=self.training_class.region_id,
            trainer_user_ids=frozenset({trainer} if trainer else ()),
        )
