"""THE table of contents: one line per path."""

from django.urls import URLPattern, path

from api import documents, health
from api.people.auth import Codes, Sessions, Tokens
from api.people.regions import Regions

V1 = "api/v1/"
READ = {"get": "retrieve"}
LIST = {"get": "list"}

urlpatterns: list[URLPattern] = [
    path("health/live", health.live),
    path("health/ready", health.ready),
    path("api/v1/openapi.yaml", documents.openapi),
    path("api/docs", documents.SwaggerUi.as_view()),
    path("api/redoc", documents.Redoc.as_view()),
    # accounts
    path(V1 + "auth/codes", Codes.as_view({"post": "create"})),
    path(V1 + "auth/tokens", Tokens.as_view({"post": "create"})),
    path(V1 + "auth/tokens/refresh", Tokens.as_view({"post": "refresh"})),
    path(V1 + "auth/sessions", Sessions.as_view(LIST)),
    path(V1 + "auth/sessions/<uuid:pk>", Sessions.as_view({"delete": "destroy"})),
    # register
    path(V1 + "regions", Regions.as_view(LIST)),
    path(V1 + "regions/<str:pk>", Regions.as_view(READ)),
]
