"""What Django asks for where no view answers."""

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse

from api.problems import plain


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django itself found suspicious."""
    too_big = isinstance(exception, RequestDataTooBig)
    return plain(request, 413 if too_big else 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a refusal outside the API."""
    return plain(request, 403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer an unknown path."""
    return plain(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a crash."""
    return plain(request, 500)
