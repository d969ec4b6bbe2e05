"""A door made for tests alone, so that what all doors share is not tested through one of them."""

from typing import Any

from django.urls import path
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.access import SIGNED_IN
from api.inputs import Form, Moment
from api.outputs import RowSerializer
from api.resource import Readable
from config import urls
from people.models import Region
from people.refusals import Refusal

DOOR = "/api/v1/plots"


class Barren(Refusal):
    code = "barren"
    title = "Nothing grows here."


class PlotSerializer(RowSerializer[Region]):
    class Meta:
        model = Region
        fields = ["code", "name", "level", "parent_id"]


class WidePlotSerializer(PlotSerializer):
    expandable = {"parent": PlotSerializer}


class PlotForm(Form):
    code = serializers.CharField(max_length=12)
    name = serializers.CharField(max_length=80, required=False)
    level = serializers.ChoiceField(choices=Region.Level.choices, required=False)
    seen_at = Moment(required=False)
    count = serializers.IntegerField(min_value=0, max_value=100, required=False)


class NameForm(Form):
    name = serializers.CharField(max_length=80)


class PlotFilters(filters.FilterSet):
    level = filters.ChoiceFilter(choices=Region.Level.choices)
    name = filters.CharFilter()


class Plots(Readable):
    """Regions, by name."""

    tag = "regions"
    noun = "plot"
    queryset = Region.objects.all()
    serializer_class = WidePlotSerializer
    filterset_class = PlotFilters
    ordering = ("name", "code")
    actions = ("list", "retrieve", "create", "partial_update", "touch", "break_", "destroy")
    may = dict.fromkeys(actions, SIGNED_IN)
    refuses = {"touch": [Barren]}
    fault: Any = None

    @extend_schema(request=PlotForm, responses={201: WidePlotSerializer})
    def create(self, request: Request) -> Response:
        """Make a plot."""
        asked = self.form(PlotForm)
        made = Region.objects.create(
            code=asked["code"],
            name=asked.get("name", "plot"),
            level=asked.get("level", "village"),
            valid_from="2000-01-01",
        )
        return self.answer(made, 201)

    @extend_schema(request=NameForm, responses={200: WidePlotSerializer})
    def partial_update(self, request: Request, pk: str) -> Response:
        """Rename a plot."""
        plot = self.get_object()
        self.check_version(plot)
        plot.name = self.form(NameForm)["name"]
        plot.save()
        return self.answer(plot)

    @extend_schema(request=None, responses={200: WidePlotSerializer})
    def touch(self, request: Request, pk: str) -> Response:
        """Do nothing to a plot, unless it is barren."""
        plot = self.get_object()
        if plot.name == "barren":
            raise Barren(plot=plot.code)
        return self.answer(plot)

    @extend_schema(request=None, responses={200: WidePlotSerializer})
    def break_(self, request: Request, pk: str) -> Response:
        """Raise what the test wants raised."""
        raise self.fault

    @extend_schema(request=None, responses={200: WidePlotSerializer})
    def hidden(self, request: Request, pk: str) -> Response:
        """Do what no row of ``may`` allows to anybody."""
        return self.answer(self.get_object())

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Take a plot away."""
        plot = self.get_object()
        self.check_version(plot)
        plot.delete()
        return Response(status=204)


urlpatterns = [
    path("api/v1/plots", Plots.as_view({"get": "list", "post": "create"})),
    path(
        "api/v1/plots/<str:pk>",
        Plots.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
    ),
    path("api/v1/plots/<str:pk>/touch", Plots.as_view({"post": "touch"})),
    path("api/v1/plots/<str:pk>/hidden", Plots.as_view({"post": "hidden"})),
    path("api/v1/plots/<str:pk>/break", Plots.as_view({"post": "break_"})),
    *urls.urlpatterns,
]
handler400, handler403 = urls.handler400, urls.handler403
handler404, handler500 = urls.handler404, urls.handler500
