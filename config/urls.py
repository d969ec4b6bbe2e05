"""Where everything hangs: the API, its documentation, public pages and health checks."""

from django.urls import include, path

from api import problems

urlpatterns = [
    path("", include("api.urls")),
]

handler400 = problems.bad_request
handler403 = problems.forbidden
handler404 = problems.not_found
handler500 = problems.server_error
