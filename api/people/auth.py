"""Signing in: codes, tokens, and the devices that are signed in."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.access import ANYONE, SIGNED_IN
from api.inputs import Form, PhoneField
from api.limits import client_address
from api.outputs import RowSerializer
from api.resource import Listed, Resource
from people import accounts
from people.models import DeviceSession


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
    refresh = serializers.CharField(max_length=86)
    refresh_expires_in = serializers.IntegerField(min_value=0, max_value=2592000)
    session_id = serializers.UUIDField()


class RefreshForm(Form):
    refresh = serializers.RegexField(r"^[A-Za-z0-9_-]{1,86}$", max_length=86)


DEVICE = {"id": "phone-1", "platform": "android", "name": "测试手机"}
BY_CODE = {
    "challenge_id": "0198c0de-7a3b-7c4d-8e5f-0123456789ab",
    "code": "123456",
    "device": DEVICE,
}
BY_PASSWORD = {"phone": "13900000011", "password": "qihang-demo-2026", "device": DEVICE}


class Codes(Resource):
    """One-time codes by text message."""

    tag = "auth"
    may = {"create": ANYONE}
    refuses = {"create": [accounts.TooManyCodes]}
    idempotent = False
    # A phone whose access has run out may still send it along.
    authentication_classes = []

    @extend_schema(request=CodeForm, responses={202: CodeAnswer})
    def create(self, request: Request) -> Response:
        """Send a sign-in code to a phone.

        The answer is the same for a known and an unknown phone.
        """
        asked = self.form(CodeForm)
        challenge = accounts.send_code(asked["phone"], address=client_address(request), at=self.at)
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
    authentication_classes = []

    @extend_schema(
        request=TokenForm,
        responses={201: TokenAnswer},
        examples=[
            OpenApiExample("By code", BY_CODE, request_only=True),
            OpenApiExample("By password", BY_PASSWORD, request_only=True),
        ],
    )
    def create(self, request: Request) -> Response:
        """Sign in by code or by password.

        A first sign-in by code makes the account.
        """
        asked = self.form(TokenForm)
        device, at = accounts.Device(**asked["device"]), self.at
        if "code" in asked:
            tokens = accounts.sign_in_by_code(asked["challenge_id"], asked["code"], device, at=at)
        else:
            tokens = accounts.sign_in_by_password(
                asked["phone"],
                asked["password"],
                device,
                address=client_address(request),
                at=at,
            )
        return self.tokens(tokens, 201, at)

    @extend_schema(request=RefreshForm, responses={200: TokenAnswer})
    def refresh(self, request: Request) -> Response:
        """Exchange a refresh token for its successors.

        Single use; the immediate predecessor may come again within 60 seconds and gets the same
        successors. Any other reuse signs the device out.
        """
        asked, at = self.form(RefreshForm), self.at
        return self.tokens(accounts.refresh(asked["refresh"], at=at), 200, at)

    def tokens(self, tokens: accounts.Tokens, status: int, at: datetime) -> Response:
        """Show a pair; only its hashes are kept."""
        session = tokens.session
        body = {
            "access": tokens.access,
            "access_expires_in": int((session.access_expires_at - at).total_seconds()),
            "refresh": tokens.refresh,
            "refresh_expires_in": int((session.refresh_expires_at - at).total_seconds()),
            "session_id": session.pk,
        }
        return Response(body, status=status, headers={"Cache-Control": "no-store"})


class DeviceSessionSerializer(RowSerializer[DeviceSession]):
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
    serializer_class = DeviceSessionSerializer
    may = {"list": SIGNED_IN, "destroy": SIGNED_IN}
    ordering = ("-id",)
    versioned = False

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Sign a device out; its next request is refused."""
        session = self.get_object()
        accounts.sign_out(session, by=self.user, at=self.at)
        return Response(status=204)
