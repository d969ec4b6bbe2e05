"""Training classes: one delivery of a programme, its seats, and the rosters it was filed with."""

from datetime import date
from decimal import Decimal
from math import cos, radians
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import ASin, Cast, Cos, Least, Power, Radians, Sin, Sqrt
from django.utils.translation import gettext_lazy as _

from people.models.base import Row, one_of
from people.roles import Role, Scope
from training.models.programmes import Programme
from training.models.venues import Venue

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from people.models import User


EARTH_RADIUS_KM = 6371.0088
KM_PER_DEGREE = 111.2


class TrainingClassQuerySet(models.QuerySet["TrainingClass"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """Published classes are public; drafts are the institution's and the region's."""
        published = ~Q(status=TrainingClass.Status.DRAFT) & Q(published_at__isnull=False)
        if user.is_anonymous:
            return self.filter(published)
        own = user.organisation_ids(Role.INSTITUTION_ADMIN, Role.TRAINER)
        return self.filter(published | Q(institution__in=own) | user.in_region("region_id"))

    def near(self, latitude: float, longitude: float, within_km: float) -> Self:
        """Keep those whose venue lies within the distance, and tell it as ``distance_km``.

        Great-circle distance on the mean sphere; a bounding box goes first, which is a plain
        comparison of columns. Positions are WGS 84 degrees.
        """
        high = within_km / KM_PER_DEGREE
        wide = high / max(cos(radians(latitude)), 0.01)
        here = radians(latitude)
        there = Radians(Cast("venue__latitude", models.FloatField()))
        east = Radians(Cast("venue__longitude", models.FloatField()) - Value(longitude))
        chord = Power(Sin((there - Value(here)) / 2), 2) + Value(cos(here)) * Cos(there) * Power(
            Sin(east / 2), 2
        )
        # Rounding may carry the chord past 1, where no arc sine exists.
        arc = ASin(Sqrt(Least(chord, Value(1.0))))
        return (
            self.filter(
                venue__latitude__range=(
                    Decimal(str(latitude - high)),
                    Decimal(str(latitude + high)),
                ),
                venue__longitude__range=(
                    Decimal(str(longitude - wide)),
                    Decimal(str(longitude + wide)),
                ),
            )
            .annotate(distance_km=Value(2 * EARTH_RADIUS_KM) * arc)
            .filter(distance_km__lte=within_km)
        )


class TrainingClassStatus(models.TextChoices):
    DRAFT = "draft", _("Draft")
    ENROLLING = "enrolling", _("Enrolling")
    FILED = "filed", _("Filed")
    RETURNED = "returned", _("Returned")
    APPROVED = "approved", _("Approved")
    IN_PROGRESS = "in_progress", _("In progress")
    SUSPENDED = "suspended", _("Suspended")
    CLOSED = "closed", _("Closed")
    CANCELLED = "cancelled", _("Cancelled")


class TrainingClassAdmission(models.TextChoices):
    AUTOMATIC = "automatic", _("Automatic")
    REVIEW = "review", _("Review")


class TrainingClass(Row):
    Status = TrainingClassStatus
    Admission = TrainingClassAdmission

    institution = models.ForeignKey(
        "people.Organisation", on_delete=models.PROTECT, related_name="classes"
    )
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="classes")
    # Where it is held, which decides the bureau and the policies.
    region = models.ForeignKey("people.Region", on_delete=models.PROTECT, related_name="+")
    venue = models.ForeignKey(
        Venue, null=True, blank=True, on_delete=models.PROTECT, related_name="classes"
    )
    name = models.CharField(max_length=120)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.DRAFT)
    admission = models.CharField(
        max_length=10, choices=Admission.choices, default=Admission.AUTOMATIC
    )
    seats = models.PositiveSmallIntegerField()
    # People holding a seat: admitted, or offered one. Moved only by a conditional UPDATE.
    seats_taken = models.PositiveSmallIntegerField(default=0)
    enrolment_opens_on = models.DateField()
    enrolment_closes_on = models.DateField()
    starts_on = models.DateField()
    ends_on = models.DateField()
    description = models.TextField(max_length=2000, blank=True)
    created_by = models.ForeignKey("people.User", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True)
    filed_by = models.ForeignKey(
        "people.User", null=True, on_delete=models.PROTECT, related_name="+"
    )
    filed_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(
        "people.User", null=True, on_delete=models.PROTECT, related_name="+"
    )
    approved_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    # Why it was returned, suspended or cancelled last.
    reason = models.CharField(max_length=500, blank=True)

    objects = TrainingClassQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("status", TrainingClassStatus, "class_status_is_known"),
            one_of("admission", TrainingClassAdmission, "class_admission_is_known"),
            models.CheckConstraint(
                name="class_never_oversells", condition=Q(seats_taken__lte=F("seats"))
            ),
            models.CheckConstraint(name="class_has_a_seat", condition=Q(seats__gte=1)),
            models.CheckConstraint(
                name="class_ends_after_it_starts", condition=Q(ends_on__gte=F("starts_on"))
            ),
            models.CheckConstraint(
                name="class_enrolment_window_is_in_order",
                condition=Q(enrolment_closes_on__gte=F("enrolment_opens_on"))
                & Q(enrolment_closes_on__lte=F("ends_on")),
            ),
            models.CheckConstraint(
                name="class_is_approved_by_someone_else",
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("filed_by")),
            ),
            models.CheckConstraint(
                name="class_runs_only_after_approval",
                condition=~Q(status__in=["approved", "in_progress", "suspended", "closed"])
                | Q(
                    filed_at__isnull=False,
                    filed_by__isnull=False,
                    approved_at__isnull=False,
                    approved_by__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="class_once_approved_is_not_planned_again",
                condition=~Q(status__in=["draft", "enrolling", "filed", "returned"])
                | Q(approved_at__isnull=True),
            ),
            models.CheckConstraint(
                name="class_starts_only_after_approval",
                condition=Q(started_at__isnull=True)
                | Q(approved_at__isnull=False, started_at__gte=F("approved_at")),
            ),
            models.CheckConstraint(
                name="class_closes_only_after_start",
                condition=~Q(status__in=["in_progress", "suspended", "closed"])
                | Q(started_at__isnull=False),
            ),
            models.CheckConstraint(
                name="class_cancelled_never_started",
                condition=~Q(status="cancelled") | Q(started_at__isnull=True),
            ),
            models.CheckConstraint(
                name="class_closed_at_a_moment_after_start",
                condition=Q(closed_at__isnull=True) & ~Q(status="closed")
                # Compared with NULL, a check constraint is content: each is asked for by name.
                | Q(
                    status="closed",
                    started_at__isnull=False,
                    closed_at__isnull=False,
                    closed_at__gte=F("started_at"),
                ),
            ),
        ]
        indexes = [
            models.Index(name="class_by_status", fields=["status", "starts_on", "id"]),
            models.Index(name="class_by_start", fields=["starts_on", "id"]),
            models.Index(name="class_by_region", fields=["region", "starts_on", "id"]),
            models.Index(name="class_by_institution", fields=["institution", "starts_on", "id"]),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def scope(self) -> Scope:
        return Scope(organisation_ids=frozenset({self.institution_id}), region_id=self.region_id)

    def enrols_on(self, day: date) -> bool:
        """Tell whether the enrolment window is open on the local day."""
        return self.enrolment_opens_on <= day <= self.enrolment_closes_on


class ClassFilingQuerySet(models.QuerySet["ClassFiling"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """The institution's own and the region's: a roster names people."""
        if user.is_anonymous:
            return self.none()
        return self.filter(
            Q(training_class__institution__in=user.organisation_ids(Role.INSTITUTION_ADMIN))
            | user.in_region("training_class__region_id")
        )


class ClassFiling(Row):
    """A roster as it was filed: versioned, hashed, never changed."""

    training_class = models.ForeignKey(
        TrainingClass, on_delete=models.PROTECT, related_name="filings"
    )
    number = models.PositiveSmallIntegerField()
    # [{"enrolment_id", "person_id", "name", "id_number_masked"}, …] in the order of names.
    roster: Any = models.JSONField()
    sha256 = models.CharField(max_length=64)
    filed_by = models.ForeignKey("people.User", on_delete=models.PROTECT, related_name="+")
    filed_at = models.DateTimeField()

    objects = ClassFilingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="filing_number_once_per_class", fields=["training_class", "number"]
            ),
        ]

    def __str__(self) -> str:
        return f"{self.training_class_id} #{self.number}"
