"""Telling people: a notice is a row, written with the fact that it tells."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from people import journal
from people.days import SHANGHAI
from people.models import Notice, User

# What each code says; the facts fill it in. A code that nobody explained here is a fault.
SENTENCES: dict[str, Promise] = {
    "enrolment.applied": _("Your application for the class %(name)s has arrived."),
    "enrolment.waitlisted": _("You are on the waiting list of the class %(name)s."),
    "enrolment.offered": _(
        "A seat in the class %(name)s is held for you until %(offer_expires_at)s. Please confirm."
    ),
    "enrolment.admitted": _("You are admitted to the class %(name)s."),
    "enrolment.rejected": _("You were not admitted to the class %(name)s."),
    "enrolment.lapsed": _("The seat in the class %(name)s was held for you and is now given away."),
    "enrolment.withdrawn": _("Your enrolment in the class %(name)s was withdrawn."),
    "enrolment.dropped": _("You were taken off the list of the class %(name)s."),
    "enrolment.completed": _("You have completed the class %(name)s."),
    "enrolment.failed": _("You have not completed the class %(name)s."),
    "enrolment.no_show": _("You never came to the class %(name)s; your seat is given away."),
    "class_cancelled": _("The class %(name)s was cancelled."),
    "class_not_completed": _("Your class has ended and you have not completed it."),
    "session_cancelled": _("The session of %(name)s on %(starts_at)s was cancelled."),
    "session_rescheduled": _("A session of %(name)s was moved: it now begins on %(starts_at)s."),
    "certificate_issued": _("Your training certificate is ready."),
    "certificate_revoked": _("A training certificate of yours was revoked."),
    "follow_up_open": _("Please tell us how you are doing since your training."),
    "person_confirmed": _("Your registration is confirmed: this account is now yours to use."),
}
WITH_REASON = _("%(sentence)s Reason: %(reason)s")
# The reasons that the rules give by a code; every other one is somebody's own words.
REASONS: dict[str, Promise] = {
    "low_attendance": _("Attendance was too low."),
    "exam_failed": _("The exam was not passed."),
    "never_came": _("No session was attended."),
}


class Facts(dict[str, str]):
    """The facts as a sentence shows them; what is missing stays blank."""

    def __init__(self, facts: dict[str, Any]) -> None:
        super().__init__({name: _shown(name, value) for name, value in facts.items()})
        self.setdefault("name", self.get("class_name", ""))

    def __missing__(self, name: str) -> str:
        return "–"


def _shown(name: str, value: Any) -> str:
    if not name.endswith("_at"):
        return str(value)
    moment = datetime.fromisoformat(str(value)).astimezone(SHANGHAI)
    return f"{moment:%Y-%m-%d %H:%M}"


def sentence(code: str, facts: dict[str, Any]) -> str:
    """Say a notice in the language that is active."""
    shown = Facts(facts)
    said = str(SENTENCES[code]) % shown if code in SENTENCES else code
    if not shown.get("reason"):
        return said
    reason = REASONS.get(shown["reason"], shown["reason"])
    return str(WITH_REASON) % {"sentence": said, "reason": reason}


@transaction.atomic
def read(notice: Notice, *, by: User, at: datetime) -> Notice:
    """Note that the person has seen it; the first time counts."""
    if Notice.objects.filter(pk=notice.pk, read_at=None).update(read_at=at):
        journal.record("notice.read", notice, by=by, at=at)
    return notice


def tell(
    person_ids: Iterable[UUID], code: str, about: models.Model, *, at: datetime, **facts: Any
) -> None:
    """Write one notice to each person, in one statement."""
    tell_each(((person, about) for person in person_ids), code, at=at, **facts)


def tell_each(
    told: Iterable[tuple[UUID, models.Model]], code: str, *, at: datetime, **facts: Any
) -> None:
    """Write one notice to each person about a row of their own, in one statement."""
    Notice.objects.bulk_create(
        Notice(person_id=person, code=code, facts=facts, object_id=about.pk, created_at=at)
        for person, about in told
    )
