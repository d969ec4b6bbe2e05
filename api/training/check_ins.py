"""Checking in, and the key from which a trainer's device shows the rotating code."""

from decimal import Decimal
from math import ceil
from typing import Any
from uuid import UUID

from django.db.models import Model
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import idempotency, problems
from api.access import SIGNED_IN
from api.authentication import device_session
from api.inputs import Form, Moment, wrong
from api.problems import Problem
from api.resource import Resource
from api.training.attendance import FlagsField, RecordSerializer
from people.models import StoredFile
from people.refusals import IdTaken
from people.roles import Role
from training import check_in_keys, check_ins
from training.attendance import ClassNotApproved
from training.check_in_facts import Punch
from training.models import AttendanceEvent, ClassSession

MICRODEGREE = Decimal("0.000001")


class CheckInForm(Form):
    """A punch; made offline, it claims the time step of its code."""

    id = serializers.UUIDField(required=False)
    kind = serializers.ChoiceField(choices=AttendanceEvent.Kind.choices)
    code = serializers.RegexField(r"^[0-9]{6}$", max_length=6)
    captured_at = Moment()
    step = serializers.IntegerField(required=False, min_value=0, max_value=9_999_999_999)
    latitude = serializers.FloatField(required=False, min_value=-90, max_value=90)
    longitude = serializers.FloatField(required=False, min_value=-180, max_value=180)
    accuracy_m = serializers.FloatField(required=False, min_value=0, max_value=100_000)
    mock_location = serializers.BooleanField(default=False)
    device_id = serializers.RegexField(r"^[A-Za-z0-9._:-]{1,64}$", max_length=64)
    photo = serializers.UUIDField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("latitude" in attrs) != ("longitude" in attrs):
            missing = "longitude" if "latitude" in attrs else "latitude"
            raise wrong(missing, "required", _("Give both or neither."))
        for name in {"latitude", "longitude"} & attrs.keys():
            attrs[name] = Decimal(str(attrs[name])).quantize(MICRODEGREE)
        if "accuracy_m" in attrs:
            attrs["accuracy_m"] = ceil(attrs["accuracy_m"])
        return attrs


class CheckInAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    verdict = serializers.ChoiceField(choices=AttendanceEvent.Verdict.choices)
    reason = serializers.ChoiceField(choices=list(check_ins.REFUSALS), allow_null=True)
    flags = FlagsField()
    record = RecordSerializer(allow_null=True)


class CheckIns(Resource):
    """Punches of trainees, judged at once and kept whatever the verdict."""

    tag = "attendance"
    noun = "check_in"
    may = {"create": SIGNED_IN}
    refuses = {"create": [*check_ins.REFUSALS.values(), IdTaken]}
    # The whole city checks in at half past eight: this door reads once and writes once, with the
    # answer under the key among what is written.
    answers_once = True

    @extend_schema(request=CheckInForm, responses={201: CheckInAnswer})
    def create(self, request: Request, session_id: UUID) -> HttpResponse:
        """Check in to a session, out of it, or prove to be there in between.

        The code is the one that the trainer's device shows (RFC 6238, SHA-1, six digits). Made
        offline, a punch brings `step`, the number of the time step, and counts for that moment; it
        has to arrive within the hours that the policy gives. A refused punch is answered 409 with
        the same facts, and is stored. The same `id` again gets the same verdict.

        After ten wrong or expired codes of one account in one session no further code is looked at:
        the refusal is `wrong_code` with the fact `locked`, true, and the trainer marks the person
        on the roster. Of refusals for other reasons ten are stored.
        """
        key, print_ = idempotency.read_key(request), idempotency.fingerprint(request)
        punch, at = self.punch(key), self.at
        shown: list[Response] = []

        def beside(judged: check_ins.Judged) -> list[Model]:
            response = answer(judged)
            shown[:] = [response]
            if response.status_code != 201:
                return []
            return [idempotency.answer(request, key, print_, response, at=at)]

        try:
            judged = check_ins.check_in(
                session_id,
                punch,
                device_id=device_session(request).device_id,
                key=key,
                by=self.user,
                at=at,
                beside=beside,
            )
        except check_ins.Unseen as unseen:
            raise Problem(404) from unseen
        except check_ins.Answered:
            stored = idempotency.find(request, key)
            assert stored is not None
            return idempotency.replay(stored, print_)
        except check_ins.Crowded as crowded:
            raise Problem(
                409, "in_progress", headers={"Retry-After": "2"}, retryable=True
            ) from crowded
        if punch.id == key and not is_same(judged, punch):
            raise Problem(422)
        return shown[0]

    def punch(self, key: UUID) -> Punch:
        """Read the body; without an id of its own the punch goes by the key."""
        asked = self.form(CheckInForm)
        photo = asked.pop("photo", None)
        if photo is not None:
            asked["photo_id"] = self.visible(StoredFile, photo, "photo").pk
        return Punch(**{"id": key, **asked})


def answer(judged: check_ins.Judged) -> Response:
    """Tell the verdict: 201, or 409 with the same facts."""
    event = judged.event
    facts = {
        "id": event.pk,
        "verdict": event.verdict,
        "reason": event.reason or None,
        "flags": event.flags,
        "record": RecordSerializer(judged.record).data if judged.record else None,
    }
    if not event.reason:
        return Response(facts, status=201)
    if judged.is_locked:
        facts["locked"] = True
    title = str(check_ins.REFUSALS[event.reason].title)
    return Response(
        problems.document(409, event.reason, title=title, facts=facts),
        status=409,
        content_type=problems.MEDIA_TYPE,
    )


def is_same(judged: check_ins.Judged, punch: Punch) -> bool:
    """Tell whether a punch that goes by its key is the one that was sent under it before."""
    event = judged.event
    return (event.kind, event.code, event.captured_at, event.device_id) == (
        punch.kind,
        punch.code,
        punch.captured_at,
        punch.device_id,
    )


class CheckInKeySerializer(serializers.Serializer[Any]):
    """``qr`` is what a QR code holds once ``{code}`` is replaced by the code of the moment."""

    secret = serializers.RegexField(r"^[A-Z2-7]{16,64}$", max_length=64)
    step_seconds = serializers.IntegerField(min_value=10, max_value=300)
    valid_from = Moment()
    valid_until = Moment()
    qr = serializers.CharField(max_length=80)


class CheckInKeys(Resource):
    """The secret of a session, for the device that shows its code."""

    tag = "attendance"
    noun = "check_in_key"
    queryset = ClassSession.objects.select_related("training_class", "trainer")
    may = {"show": [Role.TRAINER, Role.INSTITUTION_ADMIN]}
    refuses = {"show": [ClassNotApproved]}

    @extend_schema(responses={200: CheckInKeySerializer})
    def show(self, request: Request, pk: UUID) -> Response:
        """Read the check-in secret of a session; who read it is on record.

        There is none to be read before the class is approved.

        Any TOTP library shows the code from it. `qr` is the text of a QR code, in which the app
        replaces `{code}` at every step.
        """
        key = check_in_keys.read(self.get_object(), by=self.user, at=self.at)
        return Response(
            CheckInKeySerializer(key).data, headers={"Cache-Control": "private, no-store"}
        )
