"""Where everything hangs: the API, its documentation, public pages and health checks."""

from django.urls import include, path

from api import handlers

urlpatterns = [
    path("", include("api.urls")),
]

handler400 = handlers.bad_request
handler403 = handlers.forbidden
handler404 = handlers.not_found
handler500 = handlers.server_error
