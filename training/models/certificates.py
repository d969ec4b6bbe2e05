"""Completion certificates: serial, public code, and a status that answers for ever."""

from datetime import date
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from people.models.base import Row, one_of
from people.roles import Role, Scope
from training.models.enrolments import Enrolment
from training.models.programmes import SkillLevel

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from people.models import User


class CertificateQuerySet(models.QuerySet["Certificate"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """The holder's, the institution's and the region's; the public asks by code."""
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

    def standing(self, standing: str, day: date) -> Self:
        """Keep those that stand so on the day; ``expired`` is a matter of the date alone."""
        past = Q(expires_on__isnull=False, expires_on__lt=day)
        if standing == Certificate.EXPIRED:
            return self.filter(past, status=Certificate.Status.VALID)
        if standing == Certificate.Status.VALID:
            return self.filter(status=standing).exclude(past)
        return self.filter(status=standing)


class CertificateStatus(models.TextChoices):
    VALID = "valid", _("Valid")
    REVOKED = "revoked", _("Revoked")
    SUPERSEDED = "superseded", _("Superseded")


class Certificate(Row):
    """A document as it was issued: what it says is kept here and never follows later edits."""

    Status = CertificateStatus
    # Not stored: a valid certificate whose last day has passed.
    EXPIRED = "expired"

    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="certificates")
    serial = models.CharField(max_length=32, unique=True)
    # In the public address: unguessable, and says nothing about the serial.
    code = models.CharField(max_length=32, unique=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.VALID)
    issued_on = models.DateField()
    expires_on = models.DateField(null=True, blank=True)
    status_since = models.DateTimeField()
    reason = models.CharField(max_length=500, blank=True)
    person_name = models.CharField(max_length=60)
    id_number_masked = models.CharField(max_length=18)
    programme_name = models.CharField(max_length=120)
    occupation_name = models.CharField(max_length=80)
    level = models.CharField(max_length=20, choices=SkillLevel.choices)
    # Class hours of 45 minutes.
    hours = models.PositiveSmallIntegerField()
    started_on = models.DateField()
    ended_on = models.DateField()
    institution_name = models.CharField(max_length=120)

    objects = CertificateQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("status", CertificateStatus, "certificate_status_is_known"),
            models.UniqueConstraint(
                name="certificate_one_valid_per_enrolment",
                fields=["enrolment"],
                condition=Q(status="valid"),
            ),
        ]

    def __str__(self) -> str:
        return self.serial

    @property
    def scope(self) -> Scope:
        return self.enrolment.scope

    def status_on(self, day: date) -> str:
        """Tell how it stands on the local day: what is stored, or expired."""
        expired = self.expires_on is not None and self.expires_on < day
        return self.EXPIRED if expired and self.status == self.Status.VALID else self.status


class SerialCounter(models.Model):
    """The last number given in a series; its row lock makes serials gapless."""

    series = models.CharField(primary_key=True, max_length=32)
    last = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.series} {self.last}"
