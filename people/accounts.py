"""Signing in and staying signed in: phone codes, passwords, rotating opaque tokens."""

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as translate
from django.utils.translation import gettext_lazy as _

from people import journal, locks, person_claims, sms, tokens
from people.crypto import address_index, blind_index, phone_index
from people.ids import uuid7
from people.models import DeviceSession, PasswordTries, SignInCode, User
from people.refusals import Refusal
from people.tokens import token_hash

HOUR = timedelta(hours=1)
CODE_LIFETIME = timedelta(minutes=5)
CODE_TRIES = 5
RESEND_AFTER = timedelta(seconds=60)
CODES_AN_HOUR = 5
CODES_A_DAY = 10
CODES_AN_HOUR_BY_ADDRESS = 20
ACCESS_LIFETIME = timedelta(seconds=900)
REFRESH_LIFETIME = timedelta(days=30)
# A reply can be lost on a bad network: for so long the predecessor gets the same successor again.
REFRESH_GRACE = timedelta(seconds=60)
# Of one account from one address, so that a stranger cannot lock the owner out; and from anywhere.
PASSWORD_TRIES_AN_HOUR = 10
PASSWORD_TRIES_FROM_ANYWHERE = 100
TOKEN_BYTES = 32
ROTATED = [
    "access_hash",
    "access_expires_at",
    "refresh_hash",
    "refresh_expires_at",
    "previous_refresh_hash",
    "refreshed_at",
]
BY_PHONE = ((1, RESEND_AFTER), (CODES_AN_HOUR, HOUR), (CODES_A_DAY, timedelta(days=1)))
BY_ADDRESS = ((CODES_AN_HOUR_BY_ADDRESS, HOUR),)
DEMO_CODE = "000000"


class WrongCredentials(Refusal):
    code = "wrong_credentials"
    title = _("The code or the password is not right, or it has expired.")


class TooManyCodes(Refusal):
    code = "too_many_codes"
    title = _("Too many codes were asked for. Please wait.")


class TokenDead(Refusal):
    code = "token_dead"
    title = _("Please sign in again.")


@dataclass(frozen=True)
class Device:
    """The phone that signs in, under the id that its app made."""

    id: str
    platform: str
    name: str


@dataclass(frozen=True)
class Tokens:
    """What a device holds; only hashes stay here."""

    session: DeviceSession
    access: str
    refresh: str


def is_demo(phone: str) -> bool:
    """Tell whether the fixed code works for this phone: demonstration profile only."""
    phones = settings.DEMO_PHONES
    return phones is not None and phones[0] <= phone <= phones[1]


@transaction.atomic
def send_code(phone: str, *, address: str, at: datetime) -> SignInCode:
    """Send a one-time code; the caller learns nothing about whether the phone is known.

    :raises TooManyCodes: within 60 seconds of the last, or after 5 in an hour or 10 in a day to
        the phone, or after 20 in an hour for the client's address
    """
    index, origin = phone_index(phone), "" if is_demo(phone) else address_index(address)
    # Before the first code there is no row to lock, and two requests would both find none.
    locks.hold(f"sign-in code|{index}")
    if origin:
        locks.hold(f"sign-in code for|{origin}")
        _refuse_flood(Q(phone_index=index), BY_PHONE, at)
        _refuse_flood(Q(address_index=origin), BY_ADDRESS, at)
    code = DEMO_CODE if is_demo(phone) else f"{secrets.randbelow(10**6):06}"
    challenge = SignInCode(
        phone=phone,
        phone_index=index,
        address_index=origin,
        created_at=at,
        expires_at=at + CODE_LIFETIME,
    )
    challenge.code_hash = _hash_code(challenge, code)
    # The newest challenge kills the older ones.
    SignInCode.objects.filter(phone_index=index, used_at=None).update(used_at=at)
    challenge.save(force_insert=True)
    if not is_demo(phone):
        text = translate("Your Qihang code is %(code)s. It works for five minutes.")
        transaction.on_commit(lambda: sms.send(phone, text % {"code": code}))
    return challenge


def _refuse_flood(whose: Q, limits: Sequence[tuple[int, timedelta]], at: datetime) -> None:
    most, longest = max(allowed for allowed, _span in limits), max(span for _, span in limits)
    times = list(
        SignInCode.objects.filter(whose, created_at__gt=at - longest)
        .order_by("-created_at")
        .values_list("created_at", flat=True)[:most]
    )
    for allowed, span in limits:
        if len(times) >= allowed and times[allowed - 1] > at - span:
            wait = times[allowed - 1] + span - at
            raise TooManyCodes(retry_after=int(wait.total_seconds()) + 1)


def _hash_code(challenge: SignInCode, code: str) -> str:
    return blind_index(f"{challenge.pk}|{code}", label="sign-in code")


def sign_in_by_code(challenge_id: UUID, code: str, device: Device, *, at: datetime) -> Tokens:
    """Open a session for whoever holds the phone; a first sign-in makes the account.

    :raises WrongCredentials: wrong, used, expired, or after five tries
    """
    # The try is counted before the code is looked at, in one statement: parallel guesses cannot
    # all read the old count, and a wrong guess must stay counted, so this is its own transaction.
    counted = SignInCode.objects.filter(
        pk=challenge_id, used_at=None, expires_at__gt=at, tries__lt=CODE_TRIES
    ).update(tries=F("tries") + 1)
    challenge = SignInCode.objects.filter(pk=challenge_id).first() if counted else None
    if challenge is None or not hmac.compare_digest(
        challenge.code_hash, _hash_code(challenge, code)
    ):
        raise WrongCredentials
    with transaction.atomic():
        used = SignInCode.objects.filter(pk=challenge.pk, used_at=None).update(used_at=at)
        if not used:
            raise WrongCredentials
        user = _account(challenge.phone, at)
        person_claims.link_on_first_login(user, at=at)
        return _open(user, device, at=at)


def find_or_make(phone: str, *, at: datetime) -> tuple[User, bool]:
    """Tell the account of a phone, and whether this very call made it, without a password."""
    return User.objects.get_or_create(
        phone_index=phone_index(phone),
        defaults={"phone": phone, "password": make_password(None), "created_at": at},
    )


def _account(phone: str, at: datetime) -> User:
    user, created = find_or_make(phone, at=at)
    if created:
        journal.record("user.register", user, by=user, at=at)
    if not user.is_active:
        raise WrongCredentials
    return user


def sign_in_by_password(
    phone: str, password: str, device: Device, *, address: str, at: datetime
) -> Tokens:
    """Open a session for an account that has a password.

    :raises WrongCredentials: the same for an unknown phone, a wrong password, or too many tries
    """
    found = User.objects.filter(phone_index=phone_index(phone), is_active=True).first()
    user = found if found and _may_try(found, address_index(address), at=at) else None
    # An unknown phone costs one hash too, so that the time of the answer tells nothing.
    right = check_password(password, user.password if user else make_password(None))
    if user is None or not right:
        raise WrongCredentials
    with transaction.atomic():
        PasswordTries.objects.filter(user=user, address_index=address_index(address)).delete()
        # Only this try: those of others still count.
        User.objects.filter(pk=user.pk, password_tries__gt=0).update(
            password_tries=F("password_tries") - 1
        )
        return _open(user, device, at=at)


def _may_try(user: User, origin: str, *, at: datetime) -> bool:
    """Count a try before the password is looked at: parallel guesses cannot read one old count."""
    over = at - HOUR
    here, _new = PasswordTries.objects.get_or_create(
        user=user, address_index=origin, defaults={"since": at}
    )
    tries = PasswordTries.objects.filter(pk=here.pk)
    tries.filter(since__lt=over).update(count=0, since=at)
    # First the address: whoever has used up its tries does not use up the owner's.
    if not tries.filter(count__lt=PASSWORD_TRIES_AN_HOUR).update(count=F("count") + 1):
        return False
    account = User.objects.filter(pk=user.pk)
    account.filter(Q(password_tries_from=None) | Q(password_tries_from__lt=over)).update(
        password_tries=0, password_tries_from=at
    )
    return bool(
        account.filter(password_tries__lt=PASSWORD_TRIES_FROM_ANYWHERE).update(
            password_tries=F("password_tries") + 1
        )
    )


def _open(user: User, device: Device, *, at: datetime) -> Tokens:
    session_id = uuid7()
    access = secrets.token_urlsafe(TOKEN_BYTES)
    refresh = tokens.make_refresh(session_id, secrets.token_bytes(TOKEN_BYTES))
    # One session per device: signing in again replaces the old one.
    DeviceSession.objects.filter(user=user, device_id=device.id, revoked_at=None).update(
        revoked_at=at
    )
    session = DeviceSession.objects.create(
        id=session_id,
        user=user,
        device_id=device.id,
        platform=device.platform,
        name=device.name,
        access_hash=token_hash(access),
        access_expires_at=at + ACCESS_LIFETIME,
        refresh_hash=token_hash(refresh),
        refresh_expires_at=at + REFRESH_LIFETIME,
        refreshed_at=at,
        created_at=at,
    )
    journal.record("session.open", session, by=user, at=at)
    return Tokens(session, access, refresh)


def refresh(token: str, *, at: datetime) -> Tokens:
    """Exchange a refresh token for its successors; any reuse beyond the grace kills the family.

    :raises TokenDead: unknown, expired, revoked or reused
    """
    session_id = tokens.family(token)
    successors = _exchange(session_id, token, at=at) if session_id else None
    if successors is None:
        raise TokenDead
    return successors


@transaction.atomic
def _exchange(session_id: UUID, token: str, *, at: datetime) -> Tokens | None:
    """Rotate the family, or kill it; a kill has to commit, so it is not told by raising."""
    session = (
        DeviceSession.objects.select_for_update(of=("self",))
        .filter(pk=session_id, revoked_at=None, refresh_expires_at__gt=at, user__is_active=True)
        .first()
    )
    if session is None:
        return None
    # Derived, not drawn: a lost reply can be given again although only hashes are stored.
    access = tokens.text(tokens.keyed("access", token.encode()))
    successor = tokens.make_refresh(session.pk, tokens.keyed("refresh", token.encode()))
    given = token_hash(token)
    if given == session.refresh_hash:
        session.access_hash = token_hash(access)
        session.access_expires_at = at + ACCESS_LIFETIME
        session.refresh_hash = token_hash(successor)
        session.refresh_expires_at = at + REFRESH_LIFETIME
        session.previous_refresh_hash = given
        session.refreshed_at = at
        session.save(update_fields=ROTATED)
        return Tokens(session, access, successor)
    if given == session.previous_refresh_hash and session.refreshed_at > at - REFRESH_GRACE:
        return Tokens(session, access, successor)
    sign_out(session, by=None, at=at, reason="refresh_token_reused")
    return None


@transaction.atomic
def sign_out(
    session: DeviceSession, *, by: User | None, at: datetime, reason: str = "asked"
) -> None:
    """End a device's session; its next request is refused."""
    DeviceSession.objects.filter(pk=session.pk, revoked_at=None).update(revoked_at=at)
    journal.record("session.close", session, by=by, at=at, reason=reason)
