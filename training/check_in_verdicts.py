"""The verdict on a check-in: what may be refused, what is flagged, and what the record becomes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import asin, cos, radians, sin, sqrt

from django.utils.translation import gettext_lazy as _

from people.ids import uuid7
from people.models import User
from people.refusals import Refusal
from training import totp
from training.attendance import (
    Class,
    ClassNotApproved,
    Planned,
    SessionCancelled,
    SessionNotOpen,
    Status,
    derive,
    window,
)
from training.check_in_facts import RECORD, Facts, Punch
from training.models import AttendanceEvent, AttendanceRecord, Venue

EARTH_RADIUS_M = 6_371_008.8
OPEN_CLASSES = frozenset({Class.APPROVED, Class.IN_PROGRESS})
# Approved once, but nothing takes place in them now.
RESTING_CLASSES = frozenset({Class.SUSPENDED, Class.CLOSED})
# How many wrong codes an account may send to a session, and how many refusals for other reasons are
# kept as evidence. Both together bound what somebody without any business there can make us store.
WRONG_CODES = 10
OTHER_REFUSALS = 10
# How many steps before those that are taken a code is told to be late instead of wrong: as long as
# an honest person may have been typing it. More would tell guessers what was shown when.
EXPIRED_STEPS = 2


class WrongCode(Refusal):
    code = "wrong_code"
    title = _("The code is not right.")


class CodeExpired(Refusal):
    code = "code_expired"
    title = _("The code is no longer valid. Please use the one that is shown now.")


class NotEnrolled(Refusal):
    code = "not_enrolled"
    title = _("You are not admitted to this class.")


class AlreadyCheckedIn(Refusal):
    code = "already_checked_in"
    title = _("You have done this already.")


class DeviceNotYours(Refusal):
    code = "device_not_yours"
    title = _("This is not the device that you signed in with.")


class TooLateToUpload(Refusal):
    code = "too_late_to_upload"
    title = _("A check-in made offline has to be uploaded sooner.")


# What a punch may be refused for: the closed list.
REFUSALS: dict[str, type[Refusal]] = {
    refusal.code: refusal
    for refusal in (
        WrongCode,
        CodeExpired,
        NotEnrolled,
        SessionNotOpen,
        SessionCancelled,
        AlreadyCheckedIn,
        ClassNotApproved,
        DeviceNotYours,
        TooLateToUpload,
    )
}


@dataclass(frozen=True)
class Judged:
    """A punch with its verdict, and the record as it is after it."""

    event: AttendanceEvent
    record: AttendanceRecord | None

    @property
    def is_locked(self) -> bool:
        """Tell whether the code was not looked at, because too many before it were wrong."""
        return self.event.reason == WrongCode.code and self.event.guess is None


def judge(facts: Facts, punch: Punch, *, device_id: str, by: User, at: datetime) -> Judged:
    """Decide on a punch by the facts, writing nothing."""
    event = AttendanceEvent(
        id=punch.id,
        session=facts.session,
        enrolment=facts.enrolment,
        by=by,
        kind=punch.kind,
        mode=AttendanceEvent.Mode.ROTATING_CODE,
        verdict=AttendanceEvent.Verdict.ACCEPTED,
        happened_at=at,
        captured_at=punch.captured_at,
        received_at=at,
        step=punch.step,
        code=punch.code,
        latitude=punch.latitude,
        longitude=punch.longitude,
        accuracy_m=punch.accuracy_m,
        mock_location=punch.mock_location,
        device_id=punch.device_id,
        photo_id=punch.photo_id,
    )
    try:
        _check_standing(facts, punch, device_id)
        event.was_offline = _check_time(facts, punch, at)
        if facts.tally.wrong >= WRONG_CODES:
            raise WrongCode
        event.guess = facts.tally.coded + 1
        event.step = _proven_step(facts, punch, at)
        if event.was_offline:
            event.happened_at = totp.start_of(event.step, facts.ruled.rules.code_step_seconds)
    except Refusal as refusal:
        event.verdict, event.reason = AttendanceEvent.Verdict.REFUSED, refusal.code
    event.flags = _flags(facts, punch, event)
    if event.reason or event.kind == AttendanceEvent.Kind.SPOT:
        return Judged(event, facts.record)
    return Judged(event, _record(facts, event))


def _check_standing(facts: Facts, punch: Punch, device_id: str) -> None:
    class_status = facts.session.training_class.status
    if punch.device_id != device_id:
        raise DeviceNotYours
    if facts.session.status == Planned.CANCELLED:
        raise SessionCancelled
    if class_status in RESTING_CLASSES:
        raise SessionNotOpen
    if class_status not in OPEN_CLASSES:
        raise ClassNotApproved
    if facts.enrolment is None:
        raise NotEnrolled
    if facts.is_repeated and punch.kind != AttendanceEvent.Kind.SPOT:
        raise AlreadyCheckedIn


def _check_time(facts: Facts, punch: Punch, at: datetime) -> bool:
    """Refuse what is too early or too late; tell whether the punch was kept on the phone since.

    The step before the current one is still shown somewhere; whatever is older has to be claimed,
    and counts as made offline. The code is not looked at here.
    """
    rules, session = facts.ruled.rules, facts.session
    opens_at, closes_at = window(session, rules)
    approved_at = session.training_class.approved_at
    claimed = punch.step
    if claimed is None or claimed >= totp.step_at(at, rules.code_step_seconds) - 1:
        if session.status == Planned.FINISHED or not opens_at <= at <= closes_at:
            raise SessionNotOpen
        if approved_at is None or at < approved_at:
            raise ClassNotApproved
        return False
    # Compared as numbers: a step far from the session need not be a date at all.
    moment = claimed * rules.code_step_seconds
    if not opens_at.timestamp() <= moment <= closes_at.timestamp():
        raise SessionNotOpen
    if approved_at is None or moment < approved_at.timestamp():
        raise ClassNotApproved
    if at > session.ends_at + timedelta(hours=rules.offline_upload_hours):
        raise TooLateToUpload
    return True


def _proven_step(facts: Facts, punch: Punch, at: datetime) -> int:
    """Find the time step that the code proves.

    The step after the current one is shown by a clock that is ahead.
    """
    secret = facts.session.secret
    now = totp.step_at(at, facts.ruled.rules.code_step_seconds)
    if punch.step is not None:
        if punch.step <= now + 1 and totp.shows(secret, punch.step, punch.code):
            return punch.step
        raise WrongCode
    for step in (now, now - 1, now + 1):
        if totp.shows(secret, step, punch.code):
            return step
    late = range(now - 1 - EXPIRED_STEPS, now - 1)
    if any(totp.shows(secret, step, punch.code) for step in late):
        raise CodeExpired
    raise WrongCode


# -- flags and the record -------------------------------------------------------------------------


def _flags(facts: Facts, punch: Punch, event: AttendanceEvent) -> list[str]:
    """Name what looks odd: leads for a person to follow, never verdicts."""
    skew = abs(event.captured_at - event.received_at)
    tolerated = timedelta(minutes=facts.ruled.rules.clock_skew_minutes)
    raised = {
        "outside_fence": _is_outside(facts.venue, punch),
        "mock_location": punch.mock_location,
        "shared_device": facts.is_shared_device,
        "clock_skew": not event.was_offline and skew > tolerated,
        "identical_position": facts.is_identical_position,
        "code_replay": facts.is_replayed_code,
    }
    return [flag for flag, is_raised in raised.items() if is_raised]


def _is_outside(venue: Venue | None, punch: Punch) -> bool:
    if venue is None or punch.latitude is None or punch.longitude is None:
        return False
    here = (float(punch.latitude), float(punch.longitude))
    away = distance_m(here, (float(venue.latitude), float(venue.longitude)))
    return away - (punch.accuracy_m or 0) > venue.radius_m


def distance_m(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Measure the great-circle distance in metres between two positions in degrees."""
    (south, west), (north, east) = one, other
    height = sin(radians(north - south) / 2) ** 2
    width = sin(radians(east - west) / 2) ** 2
    chord = height + cos(radians(south)) * cos(radians(north)) * width
    return 2 * EARTH_RADIUS_M * asin(min(1.0, sqrt(chord)))


def _record(facts: Facts, event: AttendanceEvent) -> AttendanceRecord:
    """Make the record as it is after an accepted punch."""
    record = AttendanceRecord(
        id=uuid7(),
        session=facts.session,
        enrolment=facts.enrolment,
        status=Status.UNMARKED,
        original_status=Status.UNMARKED,
    )
    if facts.record is not None:
        for name in RECORD:
            setattr(record, name, getattr(facts.record, name))
    if event.kind == AttendanceEvent.Kind.IN:
        record.in_at = event.happened_at
    else:
        record.out_at = event.happened_at
    if record.in_at and record.out_at:
        # Whoever left before coming, by the codes, was there for no time at all.
        record.out_at = max(record.in_at, record.out_at)
    record.flags = sorted({*record.flags, *event.flags})
    record.updated_at = event.received_at
    if record.marked_by_id is None:
        record.mode, record.policy_id = event.mode, facts.ruled.policy_id
        derive(record, facts.session, facts.ruled.rules)
    return record
