"""Certificates: gapless serials, public codes, what may become of a certificate, how it is drawn.

A name that the certificate font cannot draw does not hold up the certificate: it is issued, its
public page answers, and only the drawing is refused until a replacement bears a drawable name.
A class of thirty must not wait for one rare character, and nobody's name is the class's to change.
"""

import base64
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.db import transaction
from django.db.models import F, Max, Min, Sum
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from people import journal, notices
from people.days import local_day
from people.identifiers import mask_name
from people.lifecycle import Lifecycle
from people.models import User
from people.refusals import Refusal
from training.certificate_shapes import Face, missing_characters
from training.filings import MINUTES_PER_CLASS_HOUR
from training.models import Certificate, Enrolment, SerialCounter, TrainingClass
from training.models.programmes import SkillLevel

VALID, REVOKED, SUPERSEDED = (
    Certificate.Status.VALID,
    Certificate.Status.REVOKED,
    Certificate.Status.SUPERSEDED,
)
LIFECYCLE = Lifecycle(
    revoke=([VALID], REVOKED),
    supersede=([VALID], SUPERSEDED),
)
# 80 random bits: sixteen characters of base32, short enough to be typed from paper.
CODE_BYTES = 10


class NotCompleted(Refusal):
    code = "not_completed"
    title = _("Only a completed enrolment is certified.")


class UndrawableCertificate(Refusal):
    code = "undrawable_certificate"
    title = _("The certificate holds characters that its font cannot draw.")


@dataclass(frozen=True)
class Public:
    """What anybody who holds the code may know, for ever."""

    status: str
    status_since: datetime
    person_name: str
    programme_name: str
    occupation_name: str
    level: str
    hours: int
    started_on: date
    ended_on: date
    institution_name: str
    issued_on: date
    expires_on: date | None
    serial: str
    code: str


@dataclass(frozen=True)
class Held:
    """What was taught in the sessions that took place, whatever the plan said."""

    # Whole class hours of 45 minutes.
    hours: int
    # Local days of the first and the last session.
    started_on: date
    ended_on: date


@transaction.atomic
def issue(
    enrolments: Sequence[Enrolment], *, by: User, at: datetime, expires_on: date | None = None
) -> list[Certificate]:
    """Certify completed enrolments of one class, with consecutive serials.

    The enrolments bring their person, class, programme, occupation and institution.

    :raises NotCompleted: naming those that are not completed
    """
    if not enrolments:
        return []
    if unfit := [str(e.pk) for e in enrolments if e.status != Enrolment.Status.COMPLETED]:
        raise NotCompleted(enrolment_ids=sorted(unfit))
    day = local_day(at)
    held = _held(enrolments[0].training_class)
    series = f"PX-{enrolments[0].training_class.region_id[:6]}-{day.year}"
    first = _take_numbers(series, len(enrolments))
    issued = [
        _certificate(enrolment, f"{series}-{number:06}", held, day, expires_on, at)
        for number, enrolment in enumerate(enrolments, first)
    ]
    Certificate.objects.bulk_create(issued)
    journal.record_all("certificate.issue", issued, by=by, at=at)
    notices.tell_each(
        ((certificate.enrolment.person_id, certificate) for certificate in issued),
        "certificate_issued",
        at=at,
    )
    return issued


def _take_numbers(series: str, count: int) -> int:
    """Take consecutive numbers; they go back if the transaction does, so there is never a gap."""
    SerialCounter.objects.bulk_create([SerialCounter(series=series)], ignore_conflicts=True)
    # The UPDATE holds the row until the commit: whoever else issues in this series waits here.
    SerialCounter.objects.filter(pk=series).update(last=F("last") + count)
    return SerialCounter.objects.get(pk=series).last - count + 1


def _held(training_class: TrainingClass) -> Held:
    found = training_class.sessions.planned().aggregate(
        minutes=Sum("planned_minutes", default=0), first=Min("starts_at"), last=Max("starts_at")
    )
    return Held(
        hours=found["minutes"] // MINUTES_PER_CLASS_HOUR,
        started_on=local_day(found["first"]) if found["first"] else training_class.starts_on,
        ended_on=local_day(found["last"]) if found["last"] else training_class.ends_on,
    )


def _certificate(
    enrolment: Enrolment, serial: str, held: Held, day: date, expires_on: date | None, at: datetime
) -> Certificate:
    training_class = enrolment.training_class
    programme = training_class.programme
    return Certificate(
        enrolment=enrolment,
        serial=serial,
        code=base64.b32encode(secrets.token_bytes(CODE_BYTES)).decode(),
        issued_on=day,
        expires_on=expires_on,
        status_since=at,
        person_name=enrolment.person.name,
        id_number_masked=enrolment.person.id_number_masked,
        programme_name=programme.name,
        occupation_name=programme.occupation.name,
        level=programme.level,
        hours=held.hours,
        started_on=held.started_on,
        ended_on=held.ended_on,
        institution_name=training_class.institution.name,
    )


@transaction.atomic
def revoke(certificate: Certificate, *, reason: str, by: User, at: datetime) -> Certificate:
    """Withdraw it; its public page lives on and says so."""
    certificate = LIFECYCLE.move(
        certificate, "revoke", by=by, at=at, reason=reason, status_since=at
    )
    person = certificate.enrolment.person_id
    notices.tell([person], "certificate_revoked", certificate, at=at)
    return certificate


@transaction.atomic
def replace(certificate: Certificate, *, reason: str, by: User, at: datetime) -> Certificate:
    """Issue it anew with the facts of today (a corrected name); the old one says that it was."""
    LIFECYCLE.move(certificate, "supersede", by=by, at=at, reason=reason, status_since=at)
    enrolment = Enrolment.objects.select_related(
        "person", "training_class__programme__occupation", "training_class__institution"
    ).get(pk=certificate.enrolment_id)
    [replacement] = issue([enrolment], by=by, at=at, expires_on=certificate.expires_on)
    return replacement


def find_public(code: str, *, on: date) -> Public | None:
    """Find what the public may know by the code, typed in any case, with hyphens or without."""
    code = re.sub(r"[\s-]", "", code).upper()[:32]
    certificate = Certificate.objects.filter(code=code).first()
    if certificate is None:
        return None
    return Public(
        status=certificate.status_on(on),
        status_since=certificate.status_since,
        person_name=mask_name(certificate.person_name),
        programme_name=certificate.programme_name,
        occupation_name=certificate.occupation_name,
        level=certificate.level,
        hours=certificate.hours,
        started_on=certificate.started_on,
        ended_on=certificate.ended_on,
        institution_name=certificate.institution_name,
        issued_on=certificate.issued_on,
        expires_on=certificate.expires_on,
        serial=certificate.serial,
        code=certificate.code,
    )


def verify_url(certificate: Certificate) -> str:
    """Name the public page that the QR code leads to."""
    return f"{settings.PUBLIC_URL}/verify/{certificate.code}"


def undrawable(name: str) -> list[str]:
    """List the code points of a name that the certificate font cannot draw."""
    return [f"U+{ord(character):04X}" for character in sorted(missing_characters(name))]


def face(certificate: Certificate) -> Face:
    """Say what is drawn.

    :raises UndrawableCertificate: naming the code points that the font lacks
    """
    # A certificate is a Chinese document, whoever looks at it.
    with translation.override("zh-hans"):
        level = str(SkillLevel(certificate.level).label)
    drawn = Face(
        serial=certificate.serial,
        person_name=certificate.person_name,
        id_number_masked=certificate.id_number_masked,
        programme_name=certificate.programme_name,
        occupation_name=certificate.occupation_name,
        level_label="" if certificate.level == SkillLevel.NONE else level,
        hours=certificate.hours,
        started_on=certificate.started_on,
        ended_on=certificate.ended_on,
        institution_name=certificate.institution_name,
        issued_on=certificate.issued_on,
        verify_url=verify_url(certificate),
        code=certificate.code,
    )
    printed = (
        drawn.person_name
        + drawn.programme_name
        + drawn.occupation_name
        + drawn.level_label
        + drawn.institution_name
    )
    if missing := undrawable(printed):
        raise UndrawableCertificate(characters=missing)
    return drawn
