"""The verdict on a check-in: what may be refused, what is flagged, and what the record becomes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import asin, cos, radians, sin, sqrt

from django.utils.translation import gettext_lazy as _

from people.ids import uuid7
from people.models import User
from people.policies import AttendanceRules
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
from training.models import AttendanceEvent, AttendanceRecord, ClassSession, Venue

EARTH_RADIUS_M = 6_371_008.8
OPEN_CLASSES = frozenset({Class.APPROVED, Class.IN_PROGRESS})
# Approved once, but nothing takes place in them now.
RESTING_CLASSES = frozenset({Class.SUSPENDED, Class.CLOSED})


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
    # Whether it was here before, so that nothing was written.
    is_twin: bool = False


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
        event.step, event.was_offline = _proven_step(facts, punch, at)
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


def _proven_step(facts: Facts, punch: Punch, at: datetime) -> tuple[int, bool]:
    """Find the time step that the code proves, and whether it was kept on the phone since.

    The step before the current one is still shown somewhere, the one after by a clock that is
    ahead; whatever is older has to be claimed, and counts as made offline.
    """
    rules, secret = facts.ruled.rules, facts.session.secret
    now = totp.step_at(at, rules.code_step_seconds)
    fresh = (now, now - 1, now + 1)
    if punch.step is not None and punch.step < now - 1:
        _check_offline(facts, punch.step, punch.code, at)
        return punch.step, True
    _check_open(facts.session, rules, at)
    for step in fresh if punch.step is None else (punch.step,):
        if step in fresh and totp.shows(secret, step, punch.code):
            return step, False
    opens_at, _closes_at = window(facts.session, rules)
    first = totp.step_at(opens_at, rules.code_step_seconds)
    older = range(first, now - 1) if punch.step is None else ()
    if any(totp.shows(secret, step, punch.code) for step in older):
        raise CodeExpired
    raise WrongCode


def _check_open(session: ClassSession, rules: AttendanceRules, at: datetime) -> None:
    opens_at, closes_at = window(session, rules)
    if session.status == Planned.FINISHED or not opens_at <= at <= closes_at:
        raise SessionNotOpen


def _check_offline(facts: Facts, step: int, code: str, at: datetime) -> None:
    rules, session = facts.ruled.rules, facts.session
    opens_at, closes_at = window(session, rules)
    # Compared as numbers: a step far from the session need not be a date at all.
    if not opens_at.timestamp() <= step * rules.code_step_seconds <= closes_at.timestamp():
        raise SessionNotOpen
    if not totp.shows(session.secret, step, code):
        raise WrongCode
    if at > session.ends_at + timedelta(hours=rules.offline_upload_hours):
        raise TooLateToUpload


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
    record.flags = sorted({*record.flags, *event.flags})
    record.updated_at = event.received_at
    if record.marked_by_id is None:
        record.mode, record.policy_id = event.mode, facts.ruled.policy_id
        derive(record, facts.session, facts.ruled.rules)
    return record
