"""Signing in and staying signed in: phone codes, passwords, rotating opaque tokens."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as translate
from django.utils.translation import gettext_lazy as _

from people import journal, persons, sms
from people.crypto import blind_index, phone_index
from people.models import DeviceSession, Membership, Organisation, Person, SignInCode, User
from people.refusals import Refusal
from people.roles import Role

CODE_LIFETIME = timedelta(minutes=5)
CODE_TRIES = 5
RESEND_AFTER = timedelta(seconds=60)
CODES_AN_HOUR = 5
CODES_A_DAY = 10
ACCESS_LIFETIME = timedelta(seconds=900)
REFRESH_LIFETIME = timedelta(days=30)
# A reply can be lost on a bad network: for so long the predecessor gets the same successor again.
REFRESH_GRACE = timedelta(seconds=60)
# How many rotations back a stolen token is still recognised: more than a month of 15-minute ones.
REMEMBERED_GENERATIONS = 3000
PASSWORD_TRIES_AN_HOUR = 10
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
def send_code(phone: str, *, at: datetime) -> SignInCode:
    """Send a one-time code; the caller learns nothing about whether the phone is known.

    :raises TooManyCodes: within 60 seconds of the last, or after 5 in an hour or 10 in a day
    """
    index = phone_index(phone)
    if not is_demo(phone):
        _refuse_flood(index, at)
    code = DEMO_CODE if is_demo(phone) else f"{secrets.randbelow(10**6):06}"
    challenge = SignInCode(
        phone=phone, phone_index=index, created_at=at, expires_at=at + CODE_LIFETIME
    )
    challenge.code_hash = _hash_code(challenge, code)
    # The newest challenge kills the older ones.
    SignInCode.objects.filter(phone_index=index, used_at=None).update(used_at=at)
    challenge.save(force_insert=True)
    if not is_demo(phone):
        text = translate("Your Qihang code is %(code)s. It works for five minutes.")
        transaction.on_commit(lambda: sms.send(phone, text % {"code": code}))
    return challenge


def _refuse_flood(index: str, at: datetime) -> None:
    sent = SignInCode.objects.filter(phone_index=index).select_for_update()
    times = list(
        sent.filter(created_at__gt=at - timedelta(days=1))
        .order_by("-created_at")
        .values_list("created_at", flat=True)
    )
    limits = ((1, RESEND_AFTER), (CODES_AN_HOUR, timedelta(hours=1)), (CODES_A_DAY, timedelta(1)))
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
        persons.link_on_first_login(user, at=at)
        return _open(user, device, at=at)


def _account(phone: str, at: datetime) -> User:
    user, created = User.objects.get_or_create(
        phone_index=phone_index(phone),
        defaults={"phone": phone, "password": make_password(None), "created_at": at},
    )
    if created:
        journal.record("user.register", user, by=user, at=at)
    if not user.is_active:
        raise WrongCredentials
    return user


def sign_in_by_password(phone: str, password: str, device: Device, *, at: datetime) -> Tokens:
    """Open a session for an account that has a password.

    :raises WrongCredentials: the same for an unknown phone, a wrong password, or too many tries
    """
    window = at - timedelta(hours=1)
    accounts = User.objects.filter(phone_index=phone_index(phone), is_active=True)
    accounts.filter(Q(password_tries_from=None) | Q(password_tries_from__lt=window)).update(
        password_tries=0, password_tries_from=at
    )
    counted = accounts.filter(password_tries__lt=PASSWORD_TRIES_AN_HOUR).update(
        password_tries=F("password_tries") + 1
    )
    user = accounts.first() if counted else None
    # An unknown phone costs one hash too, so that the time of the answer tells nothing.
    right = check_password(password, user.password if user else make_password(None))
    if user is None or not right:
        raise WrongCredentials
    with transaction.atomic():
        accounts.update(password_tries=0)
        return _open(user, device, at=at)


def _open(user: User, device: Device, *, at: datetime) -> Tokens:
    access, refresh = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    # One session per device: signing in again replaces the old one.
    DeviceSession.objects.filter(user=user, device_id=device.id, revoked_at=None).update(
        revoked_at=at
    )
    session = DeviceSession.objects.create(
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


def token_hash(token: str) -> str:
    """Hash a token of 256 random bits for storing and finding it."""
    return hashlib.sha256(token.encode()).hexdigest()


def _successor(kind: str, refresh: str) -> str:
    # Derived, not drawn: a lost reply can be given again although only hashes are stored.
    digest = hmac.new(settings.INDEX_KEY, f"{kind}|{refresh}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def refresh(token: str, *, at: datetime) -> Tokens:
    """Exchange a refresh token for its successors; any reuse beyond the grace kills the family.

    :raises TokenDead: unknown, expired, revoked or reused
    """
    given = token_hash(token)
    access, successor = _successor("access", token), _successor("refresh", token)
    with transaction.atomic():
        rotated = DeviceSession.objects.filter(
            refresh_hash=given, revoked_at=None, refresh_expires_at__gt=at, user__is_active=True
        ).update(
            access_hash=token_hash(access),
            access_expires_at=at + ACCESS_LIFETIME,
            refresh_hash=token_hash(successor),
            refresh_expires_at=at + REFRESH_LIFETIME,
            previous_refresh_hash=given,
            refreshed_at=at,
        )
        current = DeviceSession.objects.filter(
            refresh_hash=token_hash(successor), revoked_at=None
        ).first()
        if current and (rotated or current.refreshed_at > at - REFRESH_GRACE):
            return Tokens(current, access, successor)
    _kill_reused(token, given, at=at)
    raise TokenDead


def _kill_reused(token: str, given: str, *, at: datetime) -> None:
    """Revoke the family of a token that was already exchanged: someone else may hold it.

    Only the hashes of the present and the previous token are stored; an older one is recognised
    by walking its derived successors, which nobody can compute without the server's key.
    """
    for _generation in range(REMEMBERED_GENERATIONS):
        family = DeviceSession.objects.filter(
            Q(refresh_hash=given) | Q(previous_refresh_hash=given), revoked_at=None
        )
        for session in family:
            sign_out(session, by=None, at=at, reason="refresh_token_reused")
            return
        token = _successor("refresh", token)
        given = token_hash(token)


@transaction.atomic
def sign_out(
    session: DeviceSession, *, by: User | None, at: datetime, reason: str = "asked"
) -> None:
    """End a device's session; its next request is refused."""
    DeviceSession.objects.filter(pk=session.pk, revoked_at=None).update(revoked_at=at)
    journal.record("session.close", session, by=by, at=at, reason=reason)


@transaction.atomic
def give(
    user: User, role: Role, organisation: Organisation, *, by: User | None, at: datetime
) -> Membership:
    """Give an account a role in an organisation, once."""
    membership, created = Membership.objects.get_or_create(
        user=user, organisation=organisation, role=role, defaults={"created_at": at}
    )
    if created:
        journal.record("membership.give", membership, by=by, at=at, role=role)
    return membership


def register_account(
    phone: str, *, password: str | None, person: Person | None, at: datetime
) -> User:
    """Make an account without a sign-in, for staff whom their organisation invites."""
    user = User(
        phone=phone,
        phone_index=phone_index(phone),
        password=make_password(password),
        person=person,
        created_at=at,
    )
    user.save(force_insert=True)
    journal.record("user.invite", user, by=None, at=at)
    return user
