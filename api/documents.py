"""The contract itself: the checked-in openapi.yaml, and two pages that show it, all from here."""

from functools import cache
from pathlib import Path

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_update
from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerSplitView


@cache
def _document() -> bytes:
    return (settings.BASE_DIR / "openapi.yaml").read_bytes()


def openapi(request: HttpRequest) -> HttpResponse:
    """Serve the document as it was checked in: it is the same for every caller."""
    response = HttpResponse(_document(), content_type="application/yaml")
    response["Cache-Control"] = "public, max-age=300"
    return response


@cache
def _redoc() -> bytes:
    path = finders.find("drf_spectacular_sidecar/redoc/bundles/redoc.standalone.js")
    assert path, "the sidecar is installed"
    # Its logo is on another host; what is no picture it hides.
    return Path(path).read_bytes().replace(b"https://cdn.redoc.ly/redoc/logo-mini.svg", b"data:,")


def redoc_script(request: HttpRequest) -> HttpResponse:
    """Serve Redoc without what it would fetch from elsewhere."""
    response = HttpResponse(_redoc(), content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "public, max-age=86400"
    return response


# Both write their styles into the page, and Redoc searches in a worker; scripts stay our own.
shows_document = method_decorator(
    csp_update({"style-src": [SELF, UNSAFE_INLINE], "worker-src": [SELF, "blob:"]}),
    name="dispatch",
)


@shows_document
class SwaggerUi(SpectacularSwaggerSplitView):
    template_name = "api/swagger.html"
    url = "/api/v1/openapi.yaml"
    permission_classes = []
    throttle_classes = []


@shows_document
class Redoc(SpectacularRedocView):
    template_name = "api/redoc.html"
    url = "/api/v1/openapi.yaml"
    permission_classes = []
    throttle_classes = []
