"""Certificates: listed, shown, drawn, withdrawn and replaced."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as translate
from django.utils.translation import gettext_lazy as _
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.access import SIGNED_IN
from api.filters import FlagFilter, RegionFilter
from api.inputs import ReasonForm
from api.outputs import RowSerializer
from api.problems import bad_parameter
from api.resource import Readable
from people.days import local_day
from people.refusals import WrongStatus
from people.roles import Role
from training import certificate_faces, certificates
from training.models import Certificate

STATUSES = [*Certificate.Status.choices, (Certificate.EXPIRED, _("Expired"))]
DEFAULT_WIDTH = 1280


class CertificateSerializer(RowSerializer[Certificate]):
    training_class_id = serializers.UUIDField(source="enrolment.training_class_id", read_only=True)
    person_id = serializers.UUIDField(source="enrolment.person_id", read_only=True)
    status = serializers.SerializerMethodField()
    hours = serializers.IntegerField(read_only=True, min_value=0, max_value=32767)
    verify_url = serializers.SerializerMethodField()

    class Meta:
        model = Certificate
        fields = [
            "id",
            "enrolment_id",
            "training_class_id",
            "person_id",
            "serial",
            "code",
            "status",
            "status_since",
            "reason",
            "issued_on",
            "expires_on",
            "verify_url",
            "person_name",
            "id_number_masked",
            "programme_name",
            "occupation_name",
            "level",
            "hours",
            "started_on",
            "ended_on",
            "institution_name",
        ]

    @extend_schema_field(serializers.ChoiceField(STATUSES))
    def get_status(self, certificate: Certificate) -> str:
        return certificate.status_on(local_day(timezone.now()))

    def get_verify_url(self, certificate: Certificate) -> str:
        return certificates.verify_url(certificate)


class CertificateFilters(filters.FilterSet):
    mine = FlagFilter(method="filter_mine", label=_("Only one's own."))
    status = filters.ChoiceFilter(choices=STATUSES, method="filter_status")
    training_class = filters.UUIDFilter(field_name="enrolment__training_class")
    region = RegionFilter("enrolment__training_class__region_id")

    class Meta:
        model = Certificate
        fields: list[str] = []

    def filter_mine(self, queryset: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:  # noqa: FBT001
        own = self.request.user.person_id
        return queryset.filter(enrolment__person_id=own) if value else queryset

    def filter_status(self, queryset: Any, name: str, value: str) -> QuerySet[Any]:
        rows: QuerySet[Any] = queryset.standing(value, local_day(timezone.now()))
        return rows


class Certificates(Readable):
    """Certificates of completed training."""

    tag = "certificates"
    noun = "certificate"
    queryset = Certificate.objects.select_related("enrolment__training_class")
    serializer_class = CertificateSerializer
    filterset_class = CertificateFilters
    may = {
        "list": SIGNED_IN,
        "retrieve": SIGNED_IN,
        "image": SIGNED_IN,
        "pdf": SIGNED_IN,
        "qr": SIGNED_IN,
        "revoke": [Role.OFFICER],
        "replace": [Role.OFFICER],
    }
    refuses = {
        "image": [certificates.UndrawableCertificate],
        "pdf": [certificates.UndrawableCertificate],
        "revoke": [WrongStatus],
        "replace": [WrongStatus],
    }
    parameters = {"image": ["width"]}
    ordering = ("-issued_on", "-id")

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "width",
                {"type": "integer", "minimum": 320, "maximum": 4096, "default": DEFAULT_WIDTH},
                description="Width of the picture in pixels.",
            )
        ],
        responses={(200, "image/png"): OpenApiTypes.BINARY},
    )
    def image(self, request: Request, pk: UUID) -> HttpResponse:
        """Show the certificate as a picture."""
        face = certificates.face(self.get_object())
        picture = certificate_faces.draw_png(face, width=self._width())
        return self._file(picture, "image/png", f"{face.serial}.png")

    @extend_schema(responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    def pdf(self, request: Request, pk: UUID) -> HttpResponse:
        """Show the certificate as a page to print."""
        face = certificates.face(self.get_object())
        page = certificate_faces.draw_pdf(face)
        return self._file(page, "application/pdf", f"{face.serial}.pdf")

    @extend_schema(responses={(200, "image/svg+xml"): OpenApiTypes.BINARY})
    def qr(self, request: Request, pk: UUID) -> HttpResponse:
        """Show the QR code that leads to the public page."""
        certificate = self.get_object()
        drawing = certificate_faces.draw_qr_svg(certificates.verify_url(certificate))
        return self._file(drawing, "image/svg+xml", f"{certificate.serial}.svg")

    @extend_schema(request=ReasonForm, responses={200: CertificateSerializer})
    def revoke(self, request: Request, pk: UUID) -> Response:
        """Withdraw a certificate; its public page lives on and says so."""
        certificate = self.get_object()
        asked = self.form(ReasonForm)
        return self.answer(certificates.revoke(certificate, by=self.user, at=self.at, **asked))

    @extend_schema(request=ReasonForm, responses={201: CertificateSerializer})
    def replace(self, request: Request, pk: UUID) -> Response:
        """Issue a certificate anew, with the person's name as it is now.

        The old one is superseded and says so on its public page. Answers the new one.
        """
        certificate = self.get_object()
        asked = self.form(ReasonForm)
        replacement = certificates.replace(certificate, by=self.user, at=self.at, **asked)
        return self.answer(replacement, 201)

    def _width(self) -> int:
        given = self.request.query_params.get("width", str(DEFAULT_WIDTH))
        low, high = certificate_faces.MIN_PNG_WIDTH, certificate_faces.MAX_PNG_WIDTH
        if not (given.isascii() and given.isdigit() and low <= int(given[:6]) <= high):
            detail = translate("A whole number from %(low)s to %(high)s.")
            raise bad_parameter("width", "invalid", detail % {"low": low, "high": high})
        return int(given)

    def _file(self, content: bytes, media_type: str, name: str) -> HttpResponse:
        response = HttpResponse(content, content_type=media_type)
        response["Content-Disposition"] = f'inline; filename="{name}"'
        return response
