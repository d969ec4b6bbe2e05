"""Who is asking: one indexed look-up finds the device, the account and everything it was given."""

from typing import Any

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from people.models import DeviceSession, User
from people.roles import Grant, Role
from people.tokens import token_hash

COLUMNS = (
    "id",
    "device_id",
    "access_expires_at",
    "revoked_at",
    "user_id",
    "user__person_id",
    "user__is_active",
    "user__phone_index",
    "user__memberships__role",
    "user__memberships__organisation_id",
    "user__memberships__organisation__region_id",
)


class BearerToken(BaseAuthentication):
    """Opaque access tokens; a revoked session or a removed right stops the very next request."""

    def authenticate(self, request: Request) -> tuple[User, DeviceSession] | None:
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if not header:
            return None
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise AuthenticationFailed
        # One row per membership, so that rights need no second statement.
        rows = list(
            DeviceSession.objects.filter(access_hash=token_hash(token))
            .order_by("user__memberships__id")
            .values_list(*COLUMNS)
        )
        if not rows:
            raise AuthenticationFailed
        session_id, device_id, expires_at, revoked_at, *account = rows[0]
        user_id, person_id, is_active, phone_index = account[:4]
        if revoked_at or not is_active or expires_at <= timezone.now():
            raise AuthenticationFailed
        user = User(id=user_id, person_id=person_id, is_active=is_active, phone_index=phone_index)
        user._state.adding, user._state.db = False, "default"
        user.__dict__["grants"] = tuple(
            Grant(Role(role), organisation_id, region_id)
            for *_rest, role, organisation_id, region_id in rows
            if role is not None
        )
        session = DeviceSession(id=session_id, device_id=device_id, user=user)
        session._state.adding = False
        return user, session

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def device_session(request: Request) -> Any:
    """Return the signed-in device of the request."""
    return request.auth
