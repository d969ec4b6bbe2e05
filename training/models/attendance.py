"""Attendance in two layers: punches that are never changed, and the record derived from them."""

from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from people.models.base import Row, one_of
from people.roles import Scope
from training.models.enrolments import Enrolment
from training.models.sessions import ClassSession

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from people.models import User


class AttendanceQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """Whoever may see the enrolment may see its attendance."""
        return self.filter(enrolment__in=Enrolment.objects.visible_to(user))


class AttendanceEventKind(models.TextChoices):
    IN = "in", _("Check-in")
    OUT = "out", _("Check-out")
    SPOT = "spot", _("Mid-class check")


class AttendanceEventMode(models.TextChoices):
    ROTATING_CODE = "rotating_code", _("Rotating code")
    ROSTER = "roster", _("Roster")
    PERSONAL_QR = "personal_qr", _("Personal QR code")
    IMPORT = "import", _("Import")


class AttendanceEventVerdict(models.TextChoices):
    ACCEPTED = "accepted", _("Accepted")
    REFUSED = "refused", _("Refused")


class AttendanceEvent(models.Model):
    """One punch, accepted or refused: append-only, refused ones are evidence."""

    Kind = AttendanceEventKind
    Mode = AttendanceEventMode
    Verdict = AttendanceEventVerdict

    # Made by the client, so that a punch sent twice is one punch.
    id = models.UUIDField(primary_key=True)
    session = models.ForeignKey(ClassSession, on_delete=models.PROTECT, related_name="events")
    # Empty when somebody who is not enrolled tried.
    enrolment = models.ForeignKey(
        Enrolment, null=True, on_delete=models.PROTECT, related_name="events"
    )
    by = models.ForeignKey("people.User", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=4, choices=Kind.choices)
    mode = models.CharField(max_length=14, choices=Mode.choices)
    verdict = models.CharField(max_length=8, choices=Verdict.choices)
    reason = models.CharField(max_length=24, blank=True)
    # When it happened, as far as it is proven: the time step of the code, or the server's time.
    happened_at = models.DateTimeField()
    # What the device's clock said, and when we received it.
    captured_at = models.DateTimeField()
    received_at = models.DateTimeField()
    step = models.BigIntegerField(null=True)
    code = models.CharField(max_length=6, blank=True)
    # The how-manieth code of this account in this session it was, so that guesses queue and can be
    # counted; empty if the code was not looked at.
    guess = models.PositiveIntegerField(null=True)
    latitude = models.DecimalField(max_digits=9, decimal_places=6, null=True)
    longitude = models.DecimalField(max_digits=9, decimal_places=6, null=True)
    accuracy_m = models.PositiveIntegerField(null=True)
    mock_location = models.BooleanField(default=False)
    device_id = models.CharField(max_length=64, blank=True)
    was_offline = models.BooleanField(default=False)
    photo = models.ForeignKey(
        "people.StoredFile", null=True, on_delete=models.PROTECT, related_name="+"
    )
    flags: Any = models.JSONField(default=list)

    objects = AttendanceQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("kind", AttendanceEventKind, "event_kind_is_known"),
            one_of("mode", AttendanceEventMode, "event_mode_is_known"),
            one_of("verdict", AttendanceEventVerdict, "event_verdict_is_known"),
            models.CheckConstraint(
                name="event_refused_has_a_reason",
                condition=Q(verdict="accepted", reason="") | Q(verdict="refused") & ~Q(reason=""),
            ),
            models.UniqueConstraint(
                name="event_code_accepted_once_per_kind",
                fields=["session", "enrolment", "kind"],
                condition=Q(verdict="accepted", mode="rotating_code") & ~Q(kind="spot"),
            ),
            # Finds the punches of one account in one session as well.
            models.UniqueConstraint(
                name="event_guesses_of_an_account_queue", fields=["session", "by", "guess"]
            ),
        ]
        indexes = [
            models.Index(name="event_by_enrolment", fields=["enrolment", "received_at"]),
            models.Index(name="event_by_session", fields=["session", "device_id"]),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.verdict}"

    @property
    def scope(self) -> Scope:
        return self.session.training_class.scope


class AttendanceRecordStatus(models.TextChoices):
    UNMARKED = "unmarked", _("Not marked")
    PRESENT = "present", _("Present")
    LATE = "late", _("Late")
    LEFT_EARLY = "left_early", _("Left early")
    ABSENT = "absent", _("Absent")
    ON_LEAVE = "on_leave", _("On leave")
    EXEMPT = "exempt", _("Exempt")


class AttendanceRecord(Row):
    """The verdict for one enrolment and session."""

    Status = AttendanceRecordStatus

    session = models.ForeignKey(ClassSession, on_delete=models.PROTECT, related_name="records")
    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="records")
    status = models.CharField(max_length=10, choices=Status.choices)
    # The first verdict stays beside what a person corrected it to.
    original_status = models.CharField(max_length=10, choices=Status.choices)
    mode = models.CharField(max_length=14, choices=AttendanceEvent.Mode.choices, blank=True)
    in_at = models.DateTimeField(null=True)
    out_at = models.DateTimeField(null=True)
    credited_minutes = models.PositiveSmallIntegerField(default=0)
    flags: Any = models.JSONField(default=list)
    note = models.CharField(max_length=200, blank=True)
    marked_by = models.ForeignKey(
        "people.User", null=True, on_delete=models.PROTECT, related_name="+"
    )
    policy_id = models.UUIDField(null=True)
    updated_at = models.DateTimeField()

    objects = AttendanceQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("status", AttendanceRecordStatus, "record_status_is_known"),
            models.UniqueConstraint(
                name="record_once_per_session", fields=["enrolment", "session"]
            ),
            models.CheckConstraint(
                name="record_leaves_after_coming",
                condition=Q(in_at__isnull=True)
                | Q(out_at__isnull=True)
                | Q(out_at__gte=F("in_at")),
            ),
            models.CheckConstraint(
                name="record_absent_earns_nothing",
                condition=~Q(status="absent") | Q(credited_minutes=0),
            ),
        ]
        indexes = [models.Index(name="record_by_session", fields=["session", "enrolment"])]

    def __str__(self) -> str:
        return self.status

    @property
    def scope(self) -> Scope:
        return self.enrolment.scope
