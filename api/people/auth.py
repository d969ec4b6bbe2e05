"""Signing in: codes, tokens, and the devices that are signed in."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.access import ANYONE, SIGNED_IN
from api.inputs import Form
from api.outputs import RowSerializer
from api.resource import Listed, Resource
from people import accounts, identifiers
from people.models import DeviceSession


class PhoneField(serializers.CharField):
    """A mainland mobile number, normalised to eleven digits."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=24, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        text: str = super().to_internal_value(data)
        try:
            return identifiers.mobile_number(text)
        except identifiers.BadIdentifier as error:
            raise serializers.ValidationError(str(error), code=error.code) from error


class DeviceForm(Form):
    id = serializers.RegexField(r"^[A-Za-z0-9._:-]{1,64}$", max_length=64)
    platform = serializers.CharField(max_length=32, default="unknown")
    name = serializers.CharField(max_length=80, default="", allow_blank=True)


class CodeForm(Form):
    phone = PhoneField()


class CodeAnswer(serializers.Serializer[Any]):
    challenge_id = serializers.UUIDField()
    expires_in = serializers.IntegerField(min_value=0, max_value=300)
    resend_after = serializers.IntegerField(min_value=0, max_value=3600)


class TokenForm(Form):
    """Either ``challenge_id`` and ``code``, or ``phone`` and ``password``."""

    challenge_id = serializers.UUIDField(required=False)
    code = serializers.RegexField(r"^[0-9]{6}$", max_length=6, required=False)
    phone = PhoneField(required=False)
    password = serializers.CharField(max_length=128, required=False, trim_whitespace=False)
    device = DeviceForm()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = set(attrs) - {"device"}
        if given not in ({"challenge_id", "code"}, {"phone", "password"}):
            raise serializers.ValidationError(
                _("Give either challenge_id and code, or phone and password."), code="invalid"
            )
        return attrs


class TokenAnswer(serializers.Serializer[Any]):
    access = serializers.CharField(max_length=64)
    access_expires_in = serializers.IntegerField(min_value=0, max_value=900)
    refresh = serializers.CharField(max_length=64)
    refresh_expires_in = serializers.IntegerField(min_value=0, max_value=2592000)
    session_id = serializers.UUIDField()


class RefreshForm(Form):
    refresh = serializers.CharField(max_length=64)


class Codes(Resource):
    """One-time codes by text message."""

    tag = "auth"
    may = {"create": ANYONE}
    refuses = {"create": [accounts.TooManyCodes]}
    idempotent = False

    @extend_schema(request=CodeForm, responses={202: CodeAnswer})
    def create(self, request: Request) -> Response:
        """Send a sign-in code to a phone.

        The answer is the same for a known and an unknown phone.
        """
        asked = self.form(CodeForm)
        challenge = accounts.send_code(asked["phone"], at=self.at)
        return Response(
            {
                "challenge_id": challenge.pk,
                "expires_in": int(accounts.CODE_LIFETIME.total_seconds()),
                "resend_after": int(accounts.RESEND_AFTER.total_seconds()),
            },
            status=202,
        )


class Tokens(Resource):
    """Access and refresh tokens of a device."""

    tag = "auth"
    may = {"create": ANYONE, "refresh": ANYONE}
    refuses = {"create": [accounts.WrongCredentials], "refresh": [accounts.TokenDead]}
    idempotent = False

    @extend_schema(request=TokenForm, responses={201: TokenAnswer})
    def create(self, request: Request) -> Response:
        """Sign in by code or by password.

        A first sign-in by code makes the account.
        """
        asked = self.form(TokenForm)
        device = accounts.Device(**asked["device"])
        if "code" in asked:
            tokens = accounts.sign_in_by_code(
                asked["challenge_id"], asked["code"], device, at=self.at
            )
        else:
            tokens = accounts.sign_in_by_password(
                asked["phone"], asked["password"], device, at=self.at
            )
        return self.tokens(tokens, status=201)

    @extend_schema(request=RefreshForm, responses={200: TokenAnswer})
    def refresh(self, request: Request) -> Response:
        """Exchange a refresh token for its successors.

        Single use; the immediate predecessor may come again within 60 seconds and gets the same
        successors. Any other reuse signs the device out.
        """
        asked = self.form(RefreshForm)
        return self.tokens(accounts.refresh(asked["refresh"], at=self.at), status=200)

    def tokens(self, tokens: accounts.Tokens, *, status: int) -> Response:
        """Show a pair once; it is never shown again."""
        body = {
            "access": tokens.access,
            "access_expires_in": int(accounts.ACCESS_LIFETIME.total_seconds()),
            "refresh": tokens.refresh,
            "refresh_expires_in": int(accounts.REFRESH_LIFETIME.total_seconds()),
            "session_id": tokens.session.pk,
        }
        return Response(body, status=status, headers={"Cache-Control": "no-store"})


class SessionSerializer(RowSerializer[DeviceSession]):
    current = serializers.SerializerMethodField()

    class Meta:
        model = DeviceSession
        fields = ["id", "device_id", "platform", "name", "created_at", "refreshed_at", "current"]

    def get_current(self, session: DeviceSession) -> bool:
        return bool(self.context["request"].auth.pk == session.pk)


class Sessions(Listed):
    """The devices that are signed in to the caller's account."""

    tag = "auth"
    noun = "session"
    queryset = DeviceSession.objects.all()
    serializer_class = SessionSerializer
    may = {"list": SIGNED_IN, "destroy": SIGNED_IN}
    ordering = ("-id",)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Sign a device out; its next request is refused."""
        session = self.get_object()
        accounts.sign_out(session, by=self.user, at=self.at)
        return Response(status=204)
