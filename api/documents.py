"""The contract itself: the checked-in openapi.yaml, and two pages that show it, all from here."""

from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerSplitView


@cache
def _document() -> bytes:
    return (settings.BASE_DIR / "openapi.yaml").read_bytes()


def openapi(request: HttpRequest) -> HttpResponse:
    """Serve the document as it was checked in: it is the same for every caller."""
    response = HttpResponse(_document(), content_type="application/yaml")
    response["Cache-Control"] = "public, max-age=300"
    return response


class SwaggerUi(SpectacularSwaggerSplitView):
    url = "/api/v1/openapi.yaml"
    permission_classes = []
    throttle_classes = []


class Redoc(SpectacularRedocView):
    url = "/api/v1/openapi.yaml"
    permission_classes = []
    throttle_classes = []
