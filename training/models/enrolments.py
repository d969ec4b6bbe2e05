"""Enrolments: one person in one class, from asking for a place to what came of it."""

from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Case, Count, OuterRef, Q, Subquery, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from people.models.base import Row, one_of
from people.roles import Role, Scope
from training.models.classes import TrainingClass

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from people.models import User

HOLDING_A_SEAT = ["admitted", "offered"]
# Those who sit in the class, or sat in it to the end: not who left, waits or was turned away.
ON_ROSTER = ["admitted", "completed", "failed", "no_show"]
LIVE = ["applied", "waitlisted", "offered", "admitted"]


class EnrolmentQuerySet(models.QuerySet["Enrolment"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """One's own; a trainer's classes; the institution's; the region's."""
        if user.is_anonymous:
            return self.none()
        taught = TrainingClass.objects.filter(
            institution__in=user.organisation_ids(Role.TRAINER),
            sessions__trainer__user=user,
        )
        return self.filter(
            (Q(person_id=user.person_id) if user.person_id else Q(pk__in=[]))
            | Q(training_class__institution__in=user.organisation_ids(Role.INSTITUTION_ADMIN))
            | Q(training_class__in=taught)
            | user.in_region("training_class__region_id")
        )

    def holding_a_seat(self) -> Self:
        return self.filter(status__in=HOLDING_A_SEAT)

    def on_roster(self) -> Self:
        return self.filter(status__in=ON_ROSTER)

    def live(self) -> Self:
        return self.filter(status__in=LIVE)

    def waiting(self) -> Self:
        """The waiting list in its order: priority first, then time."""
        return self.filter(status=Enrolment.Status.WAITLISTED).order_by(
            "-priority", "applied_at", "id"
        )

    def with_waitlist_position(self) -> Self:
        """Say how each waiting person stands in line: 1 is next, nobody else has a place."""
        ahead = (
            Enrolment.objects.filter(
                Q(priority__gt=OuterRef("priority"))
                | Q(priority=OuterRef("priority"), applied_at__lt=OuterRef("applied_at"))
                | Q(
                    priority=OuterRef("priority"),
                    applied_at=OuterRef("applied_at"),
                    id__lt=OuterRef("id"),
                ),
                training_class=OuterRef("training_class"),
                status=Enrolment.Status.WAITLISTED,
            )
            .order_by()
            .values("training_class")
            .annotate(count=Count("pk"))
            .values("count")
        )
        waiting = When(status=Enrolment.Status.WAITLISTED, then=Coalesce(Subquery(ahead), 0) + 1)
        return self.annotate(
            waitlist_position=Case(waiting, default=None, output_field=models.IntegerField())
        )


class EnrolmentStatus(models.TextChoices):
    APPLIED = "applied", _("Applied")
    WAITLISTED = "waitlisted", _("On the waiting list")
    OFFERED = "offered", _("Offered a seat")
    ADMITTED = "admitted", _("Admitted")
    REJECTED = "rejected", _("Not admitted")
    LAPSED = "lapsed", _("Offer lapsed")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    DROPPED = "dropped", _("Dropped out")
    COMPLETED = "completed", _("Completed")
    FAILED = "failed", _("Not completed")
    NO_SHOW = "no_show", _("Never came")


class Enrolment(Row):
    Status = EnrolmentStatus

    training_class = models.ForeignKey(
        TrainingClass, on_delete=models.PROTECT, related_name="enrolments"
    )
    person = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="enrolments")
    status = models.CharField(max_length=10, choices=Status.choices)
    applied_at = models.DateTimeField()
    # Higher comes first on the waiting list; the reason is the category that gave it.
    priority = models.PositiveSmallIntegerField(default=0)
    priority_reason = models.CharField(max_length=32, blank=True)
    # The person's categories on the day of applying; they never drift afterwards.
    categories: Any = models.JSONField(default=list)
    offer_expires_at = models.DateTimeField(null=True)
    admitted_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True)
    # The attendance rate and the policy that decided, frozen by closing the class.
    final_rate = models.DecimalField(max_digits=7, decimal_places=6, null=True)
    attendance_policy_id = models.UUIDField(null=True)
    enrolment_policy_id = models.UUIDField(null=True)
    created_by = models.ForeignKey("people.User", on_delete=models.PROTECT, related_name="+")

    objects = EnrolmentQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("status", EnrolmentStatus, "enrolment_status_is_known"),
            models.UniqueConstraint(
                name="enrolment_one_live_per_class",
                fields=["training_class", "person"],
                condition=Q(status__in=LIVE),
            ),
            models.CheckConstraint(
                name="enrolment_offer_has_an_end",
                condition=~Q(status="offered") | Q(offer_expires_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(name="enrolment_by_class", fields=["training_class", "status"]),
            models.Index(name="enrolment_by_person", fields=["person", "id"]),
            models.Index(
                name="enrolment_waiting",
                fields=["training_class", "-priority", "applied_at", "id"],
                condition=Q(status="waitlisted"),
            ),
            models.Index(
                name="enrolment_offers", fields=["offer_expires_at"], condition=Q(status="offered")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.status}"

    @property
    def scope(self) -> Scope:
        return Scope(
            person_id=self.person_id,
            organisation_ids=frozenset({self.training_class.institution_id}),
            region_id=self.training_class.region_id,
        )
