"""Subscribing a calendar to one's sessions."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.access import ANYONE, SIGNED_IN
from api.inputs import NoBody
from api.problems import Problem
from api.resource import Resource
from training import calendar


class CalendarLink(serializers.Serializer[Any]):
    url = serializers.URLField(max_length=400)


class CalendarLinks(Resource):
    """The address under which one's own calendar is read."""

    tag = "sessions"
    may = {"create": SIGNED_IN}
    # It makes nothing: the address is computed, and the same every time it is asked for.
    idempotent = False

    @extend_schema(request=NoBody, responses={200: CalendarLink})
    def create(self, request: Request) -> Response:
        """Get the address of one's own calendar.

        Whoever has the address can read when and where its owner attends or teaches.
        """
        self.form(NoBody)
        query = urlencode({"token": calendar.token(self.user)})
        link = f"{settings.PUBLIC_URL}/api/v1/calendar.ics?{query}"
        return Response({"url": link}, headers={"Cache-Control": "no-store"})


class Calendar(Resource):
    """A calendar for phones and desktops."""

    tag = "sessions"
    may = {"show": ANYONE}
    parameters = {"show": ["token"]}

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "token",
                {"type": "string", "maxLength": 200, "pattern": "^[A-Za-z0-9_:-]{1,200}$"},
                required=True,
                description="From the address that `POST /calendar-links` gives.",
            )
        ],
        responses={(200, "text/calendar"): OpenApiTypes.STR, 404: None},
    )
    def show(self, request: Request) -> HttpResponse:
        """Read a person's sessions as iCalendar (RFC 5545).

        Half a year back and a year ahead. The token stands for the person: no sign-in is needed.
        """
        reader = calendar.reader(request.query_params.get("token", ""))
        if reader is None:
            raise Problem(404)
        written = calendar.write(calendar.sessions(reader, at=self.at), at=self.at)
        return HttpResponse(written, content_type="text/calendar; charset=utf-8")
