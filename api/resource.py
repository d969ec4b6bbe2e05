"""The one base class of every door."""

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, ClassVar, Protocol, runtime_checkable

from django.db.models import Model, Prefetch, QuerySet
from django.http import HttpResponse
from django.utils import timezone
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.translation import gettext as translate
from rest_framework import mixins, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from api import idempotency
from api.outputs import RowSerializer
from api.pagination import PARAMETERS
from api.problems import Problem, bad_parameter
from people.models import User
from people.refusals import Refusal

MATCHED_METHODS = {"PATCH", "DELETE"}


@runtime_checkable
class Scoped(Protocol):
    """A queryset that knows which rows exist for a person."""

    def visible_to(self, user: Any) -> Any: ...


class Resource(GenericViewSet[Any]):
    """Rows outside the caller's sight answer 404, never 403, on every action.

    * ``may``: which roles may knock, by action; what is missing is refused.
    * ``refuses``: which named refusals an action can answer, for the document.
    * ``parameters``: query parameters beyond filters and pages, by action.
    """

    may: ClassVar[Mapping[str, Collection[str]]] = {}
    refuses: ClassVar[Mapping[str, Sequence[type[Refusal]]]] = {}
    parameters: ClassVar[Mapping[str, Collection[str]]] = {}
    # Actions for which seeing the row is enough.
    sight_suffices: ClassVar[Collection[str]] = frozenset({"list", "retrieve"})
    ordering: ClassVar[tuple[str, ...]] = ("id",)
    noun: ClassVar[str] = ""
    tag: ClassVar[str] = ""
    # A POST that neither creates nor triggers (sign-in, look-ups) keeps no answer.
    idempotent: ClassVar[bool] = True
    # Whether answers are the same for everybody and may be kept by shared caches (seconds).
    public_seconds: ClassVar[int] = 0

    @cached_property
    def user(self) -> User:
        """The caller, whom ``RoleMay`` has already let in."""
        assert isinstance(self.request.user, User)
        return self.request.user

    @property
    def at(self) -> Any:
        """The moment of this request; the domain never reads the clock."""
        return timezone.now()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self._refuse_unknown_parameters()
        if request.method == "POST" and self.idempotent and request.user.is_authenticated:
            self.post = partial(idempotency.once, self.post)  # type: ignore[attr-defined, has-type]

    def _refuse_unknown_parameters(self) -> None:
        known = {"fields", "expand", *self.parameters.get(self.action, ())}
        if self.action == "list":
            known |= {*PARAMETERS, *getattr(self, "filterset_fields", ())}
            filterset = getattr(self, "filterset_class", None)
            known |= set(filterset.base_filters) if filterset else set()
        for name, value in self.request.query_params.items():
            if name not in known:
                raise bad_parameter(name[:60], "unknown_parameter", translate("Unknown parameter."))
            if not value or "\x00" in value:
                raise bad_parameter(name, "empty_parameter", translate("Give it a value."))

    # -- rows ---------------------------------------------------------------------------------

    def get_queryset(self) -> QuerySet[Any]:
        queryset = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):  # the schema generator has no caller
            return queryset.none()
        assert isinstance(queryset, Scoped), f"{queryset.model} has no visible_to()"
        queryset = self.narrow(queryset.visible_to(self.request.user))
        for name in self._chosen("expand", self._expandable()):
            related = self._expandable()[name].Meta.model
            queryset = queryset.prefetch_related(
                Prefetch(name, related._default_manager.visible_to(self.request.user))
            )
        return queryset

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep only the rows this path is about; override in nested resources."""
        return queryset

    def parent(self, queryset: Any, key: str) -> Any:
        """Find the row that the path nests in: visible, and the caller's role counts there.

        :raises Http404: if the caller cannot see it
        """
        row = queryset.visible_to(self.request.user).filter(pk=self.kwargs[key]).first()
        if row is None:
            raise Problem(404)
        self.check_object_permissions(self.request, row)
        return row

    def visible(self, model: type[Model], pk: Any, member: str) -> Any:
        """Find a row that a body member names, among those that the caller can see.

        :raises Problem: 400 naming the member, the same for absent and out of sight
        """
        row = model._default_manager.visible_to(self.request.user).filter(pk=pk).first()  # type: ignore[attr-defined]
        if row is None:
            detail = translate("There is no such record.")
            raise Problem(
                400, errors=[{"pointer": f"#/{member}", "code": "does_not_exist", "detail": detail}]
            )
        return row

    # -- answers ------------------------------------------------------------------------------

    def form(self, form: type[Any], **kwargs: Any) -> dict[str, Any]:
        """Read the body of a verb.

        :raises ValidationError: naming every member that is wrong
        """
        asked = form(data=self.request.data, context=self.get_serializer_context(), **kwargs)
        asked.is_valid(raise_exception=True)
        values: dict[str, Any] = asked.validated_data
        return values

    def answer(self, row: Model, status_code: int = status.HTTP_200_OK) -> Response:
        """Show the row as GET would show it now, with its version as ETag."""
        shown = self.queryset.filter(pk=row.pk).first()  # type: ignore[union-attr]
        data = self.get_serializer(shown).data
        return Response(data, status=status_code, headers={"ETag": f'"{data["version"]}"'})

    def get_serializer_context(self) -> dict[str, Any]:
        context = super().get_serializer_context()
        if not getattr(self, "swagger_fake_view", False):
            context["expand"] = self._chosen("expand", self._expandable())
            context["fields"] = set(self._chosen("fields", None))
        return context

    def _expandable(self) -> Mapping[str, type[RowSerializer[Any]]]:
        serializer = self.get_serializer_class() if self.serializer_class else None
        return getattr(serializer, "expandable", {})

    def _chosen(self, parameter: str, known: Collection[str] | None) -> list[str]:
        given = self.request.query_params.get(parameter)
        if given is None:
            return []
        if known is None:
            serializer = self.get_serializer_class()
            known = {*serializer().fields, "version"}
        names = given.split(",")
        if any(name not in known for name in names):
            raise bad_parameter(parameter, "unknown_field", translate("Unknown field."))
        return names

    def check_version(self, row: Model) -> None:
        """Refuse a change to a row that the caller has not seen as it is now.

        :raises Problem: 428 without ``If-Match`` where it is needed, 412 if it is stale
        """
        given = self.request.META.get("HTTP_IF_MATCH")
        if given is None:
            if self.request.method in MATCHED_METHODS:
                raise Problem(428)
            return
        shown = self.queryset.filter(pk=row.pk).first()  # type: ignore[union-attr]
        serializer = self.get_serializer_class()
        version = serializer(shown, context={"request": self.request}).data["version"]
        # gzip weakens the tag on its way out; an expanded answer appends to it.
        tags = {tag.strip().removeprefix("W/").strip('"').split(".")[0] for tag in given.split(",")}
        if version not in tags and "*" not in tags:
            raise Problem(412, facts={"current_version": version})

    def finalize_response(
        self, request: Request, response: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        response = super().finalize_response(request, response, *args, **kwargs)
        for name, value in getattr(request._request, "rate_limit", {}).items():
            response[name] = value
        data = getattr(response, "data", None)
        if request.method == "GET" and response.status_code == 200 and isinstance(data, dict):
            if "version" in data and "ETag" not in response:
                response["ETag"] = f'"{data["version"]}"'
        patch_vary_headers(response, ["Accept-Language", "Authorization"])
        if "Cache-Control" not in response:
            if self.public_seconds and request.user.is_anonymous and response.status_code == 200:
                patch_cache_control(response, public=True, max_age=self.public_seconds)
            else:
                patch_cache_control(response, private=True, no_cache=True)
        return response


class Listed(mixins.ListModelMixin, Resource):
    """A door with a list."""


class Readable(mixins.ListModelMixin, mixins.RetrieveModelMixin, Resource):
    """A door with a list and a detail."""
