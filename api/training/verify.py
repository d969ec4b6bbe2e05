"""Verifying a certificate by its code: public, for ever, as JSON and as a page."""

from dataclasses import asdict
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as translate
from django.views.decorators.http import require_safe
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.access import ANYONE
from api.inputs import Moment
from api.problems import Problem
from api.resource import Resource
from people.days import local_day
from training import certificates
from training.models import Certificate
from training.models.programmes import SkillLevel


class VerificationSerializer(serializers.Serializer[Any]):
    """What anybody who holds the code may know."""

    status = serializers.ChoiceField([*Certificate.Status.values, Certificate.EXPIRED])
    status_since = Moment()
    person_name = serializers.CharField(max_length=60, help_text="Only the surname is legible.")
    programme_name = serializers.CharField(max_length=120)
    occupation_name = serializers.CharField(max_length=80)
    level = serializers.ChoiceField(SkillLevel.choices)
    hours = serializers.IntegerField(min_value=0, max_value=32767)
    started_on = serializers.DateField()
    ended_on = serializers.DateField()
    institution_name = serializers.CharField(max_length=120)
    issued_on = serializers.DateField()
    expires_on = serializers.DateField(allow_null=True)
    serial = serializers.CharField(max_length=32)
    code = serializers.CharField(max_length=32)


class Verifications(Resource):
    """Whether a certificate is genuine and in force."""

    tag = "certificates"
    noun = "verification"
    queryset = Certificate.objects.none()
    serializer_class = VerificationSerializer
    may = {"retrieve": ANYONE}

    def retrieve(self, request: Request, code: str) -> Response:
        """Verify a certificate by the code printed on it.

        Needs no sign-in. Once issued, a code answers for ever, also when the certificate has
        expired or was revoked or superseded.
        """
        found = certificates.find_public(code, on=local_day(self.at))
        if found is None:
            raise Problem(404)
        return Response(VerificationSerializer(found).data)


@require_safe
def page(request: HttpRequest, code: str) -> HttpResponse:
    """Show the public page that the QR code leads to."""
    found = certificates.find_public(code, on=local_day(timezone.now()))
    if found is None:
        unknown = {"status": "unknown", "status_label": translate("Unknown"), "code": code[:32]}
        response = render(
            request, "training/verification.html", {"certificate": unknown}, status=404
        )
    else:
        facts = asdict(found)
        facts["status_label"] = _label(found.status)
        level = SkillLevel(found.level)
        facts["level_label"] = "" if level == SkillLevel.NONE else level.label
        response = render(request, "training/verification.html", {"certificate": facts})
    # A revocation has to show at once, on every phone that was here before.
    add_never_cache_headers(response)
    return response


def _label(status: str) -> str:
    if status == Certificate.EXPIRED:
        return translate("Expired")
    return str(Certificate.Status(status).label)
