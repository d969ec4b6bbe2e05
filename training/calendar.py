"""A person's sessions as a calendar that phones and desktops subscribe to (RFC 5545)."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.core import signing
from django.db.models import QuerySet

from people.models import User
from training.models import ClassSession

SALT = "calendar"
LOOKS_BACK, LOOKS_AHEAD = timedelta(days=180), timedelta(days=400)
AT_MOST = 2000
LINE_OCTETS = 75


def token(user: User) -> str:
    """Sign the account's id, so that a calendar can be read without signing in."""
    # Without a time in it: the address of a calendar has to stay the same.
    return signing.Signer(salt=SALT).sign(str(user.pk))


def reader(token: str) -> User | None:
    """Find the account that the token was made for."""
    try:
        user_id = UUID(signing.Signer(salt=SALT).unsign(token))
    except (signing.BadSignature, ValueError):
        return None
    return User.objects.filter(pk=user_id, is_active=True).first()


def sessions(user: User, *, at: datetime) -> QuerySet[ClassSession]:
    """List what the person attends or teaches, half a year back and a year ahead."""
    return (
        ClassSession.objects.of(user)
        .filter(starts_at__gte=at - LOOKS_BACK, starts_at__lt=at + LOOKS_AHEAD)
        .select_related("training_class", "venue")
        .order_by("starts_at", "id")[:AT_MOST]
    )


def write(rows: Iterable[ClassSession], *, at: datetime) -> bytes:
    """Write the sessions as one calendar, lines folded and ended as the standard asks."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Qihang//Training//ZH",
        "CALSCALE:GREGORIAN",
    ]
    for session in rows:
        lines += _event(session, at)
    lines.append("END:VCALENDAR")
    return b"".join(_fold(line) for line in lines)


def _event(session: ClassSession, at: datetime) -> list[str]:
    cancelled = session.status == ClassSession.Status.CANCELLED
    title = " · ".join(filter(None, [session.training_class.name, session.topic]))
    lines = [
        "BEGIN:VEVENT",
        f"UID:{session.pk}@qihang",
        f"DTSTAMP:{_utc(at)}",
        f"DTSTART:{_utc(session.starts_at)}",
        f"DTEND:{_utc(session.ends_at)}",
        f"SUMMARY:{_text(title)}",
        f"STATUS:{'CANCELLED' if cancelled else 'CONFIRMED'}",
    ]
    if session.venue:
        lines.append(f"LOCATION:{_text(f'{session.venue.name} {session.venue.address}')}")
        lines.append(f"GEO:{session.venue.latitude};{session.venue.longitude}")
    return [*lines, "END:VEVENT"]


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(value: str) -> str:
    """Escape what has a meaning in a text value (RFC 5545 §3.3.11)."""
    for plain, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r\n", "\n")):
        value = value.replace(plain, escaped)
    return value.replace("\r", "\n").replace("\n", "\\n")


def _fold(line: str) -> bytes:
    """Break a line every 75 octets, never inside a character (§3.1)."""
    folded, width = bytearray(), 0
    for character in line:
        octets = character.encode()
        if width + len(octets) > LINE_OCTETS:
            folded += b"\r\n "
            width = 1
        folded += octets
        width += len(octets)
    return bytes(folded + b"\r\n")
