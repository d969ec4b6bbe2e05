"""The one base class of every door."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, ClassVar, Protocol, cast, runtime_checkable

from django.db import transaction
from django.db.models import Model, Prefetch, QuerySet
from django.http import HttpResponse
from django.utils import timezone
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.translation import gettext as translate
from django_filters.filters import MultipleChoiceFilter
from rest_framework import mixins, status
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Empty, Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from api import idempotency
from api.inputs import Form
from api.outputs import EXPANDED, RowSerializer
from api.pagination import PARAMETERS
from api.problems import Problem, bad_member, bad_parameter
from people.models import User
from people.refusals import Refusal

MATCHED_METHODS = {"PATCH", "DELETE"}
# Actions that answer with rows, which ``fields`` trims and ``expand`` widens.
SHAPED = frozenset({"list", "retrieve"})
MAXIMUM_VALUE = 200


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
    # Whether the door itself keeps the promise of one effect per key, in statements of its own.
    answers_once: ClassVar[bool] = False
    # Actions that heed If-Match if it is sent, and do without it.
    may_match: ClassVar[Collection[str]] = frozenset()
    # Whether PATCH and DELETE need If-Match; without it there is nothing that could get lost.
    versioned: ClassVar[bool] = True
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
        method = str(request.method).lower()
        if self.answers_once:
            return
        if method == "post" and self.idempotent and request.user.is_authenticated:
            # Its own transaction already: a savepoint in it would only cost two statements.
            whole = self._whole(self.post, savepoint=False)  # type: ignore[has-type]
            self.post = partial(idempotency.once, whole)
        elif method in {"put", "patch", "delete"}:
            setattr(self, method, self._whole(getattr(self, method)))

    def _whole(
        self, handler: Callable[..., HttpResponse], *, savepoint: bool = True
    ) -> Callable[..., HttpResponse]:
        """Make a write one transaction, in which a body that no form has read must be empty."""

        def write(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
            with transaction.atomic(savepoint=savepoint):
                response = handler(request, *args, **kwargs)
                is_json = (request.content_type or "").startswith("application/json")
                if is_json and request._full_data is Empty:  # type: ignore[attr-defined]
                    self.form(Form)
            return response

        return write

    def perform_authentication(self, request: Request) -> None:
        try:
            super().perform_authentication(request)
        except AuthenticationFailed:
            # A dead token makes nobody of the caller: guessing counts against the address.
            super().check_throttles(request)
            raise

    def check_permissions(self, request: Request) -> None:
        # Counted before anything is decided: a refused caller asks too often like any other.
        super().check_throttles(request)
        super().check_permissions(request)

    def check_throttles(self, request: Request) -> None:
        """Nothing is left to do: ``check_permissions`` has counted."""

    def options(  # type: ignore[override]
        self, request: Request, *args: Any, **kwargs: Any
    ) -> Response:
        """Tell the methods of this path (``Allow``)."""
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _refuse_unknown_parameters(self) -> None:
        filters = self._filters()
        known = {*self.parameters.get(self.action, ()), *filters}
        known |= {"fields", "expand"} if self.action in SHAPED else set()
        known |= set(PARAMETERS) if self.action == "list" else set()
        for name, values in self.request.query_params.lists():
            if name not in known:
                shown = "".join(c if c.isprintable() else "?" for c in name[:60])
                raise bad_parameter(shown, "unknown_parameter", translate("Unknown parameter."))
            if not all(values) or any("\x00" in value for value in values):
                raise bad_parameter(name, "empty_parameter", translate("Give it a value."))
            if len(values) > 1 and not isinstance(filters.get(name), MultipleChoiceFilter):
                raise bad_parameter(name, "repeated_parameter", translate("Give it once."))
            if name in filters and any(len(value) > MAXIMUM_VALUE for value in values):
                raise bad_parameter(name, "too_long", translate("This is too long."))

    def _filters(self) -> Mapping[str, Any]:
        filterset = getattr(self, "filterset_class", None)
        return filterset.base_filters if filterset and self.action == "list" else {}

    def needs_version(self, method: str) -> bool:
        """Tell whether a change has to say which version it changes (``If-Match``)."""
        return method in MATCHED_METHODS and self.versioned

    # -- rows ---------------------------------------------------------------------------------

    def get_queryset(self) -> QuerySet[Any]:
        queryset = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):  # the schema generator has no caller
            return queryset.none()
        assert isinstance(queryset, Scoped), f"{queryset.model} has no visible_to()"
        return self._widened(self.narrow(queryset.visible_to(self.request.user)))

    def _widened(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        for name in self._chosen("expand", self._expandable()):
            related: Any = self._expandable()[name].Meta.model
            # Beside the relation, not in it: select_related may hold a row out of sight there.
            neighbours = Prefetch(
                name, related._default_manager.visible_to(self.request.user), EXPANDED + name
            )
            queryset = queryset.prefetch_related(neighbours)
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

    def visible(self, model: Any, pk: Any, member: str) -> Any:
        """Find a row that a body member names, among those that the caller can see.

        :raises Problem: 400 naming the member, the same for absent and out of sight
        """
        rows: Any = model._default_manager
        row = rows.visible_to(self.request.user).filter(pk=pk).first()
        if row is None:
            raise bad_member(member, "does_not_exist", translate("There is no such record."))
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

    def _as_shown(self, row: Model) -> Any:
        queryset = cast("Any", self).queryset
        return queryset.filter(pk=row.pk).first()

    def answer(self, row: Model, status_code: int = status.HTTP_200_OK) -> Response:
        """Show the row as GET would show it now, with its version as ETag."""
        shown = self._as_shown(row)
        data = self.get_serializer(shown).data
        return Response(data, status=status_code, headers={"ETag": f'"{data["version"]}"'})

    def get_serializer_context(self) -> dict[str, Any]:
        context = {**super().get_serializer_context()}
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
            known = {*serializer().fields, "version"}  # type: ignore[attr-defined]
        names = given.split(",")
        if any(name not in known for name in names):
            raise bad_parameter(parameter, "unknown_field", translate("Unknown field."))
        if len(set(names)) < len(names):
            raise bad_parameter(parameter, "repeated", translate("Name each only once."))
        return names

    def check_version(self, row: Model) -> None:
        """Refuse a change to a row that the caller has not seen as it is now.

        :raises Problem: 428 without ``If-Match`` where it is needed, 412 if it is stale
        """
        given = self.request.META.get("HTTP_IF_MATCH")
        if given is None:
            if self.needs_version(str(self.request.method)):
                raise Problem(428)
            return
        # Two changes of one version: the second waits here, and is stale.
        type(row)._default_manager.select_for_update().filter(pk=row.pk).first()
        shown = self._as_shown(row)
        serializer = self.get_serializer_class()
        version = serializer(shown, context={"request": self.request}).data["version"]
        # gzip weakens the tag on its way out; an expanded answer appends to it.
        tags = {tag.strip().removeprefix("W/").strip('"').split(".")[0] for tag in given.split(",")}
        if version not in tags:
            raise Problem(412, facts={"current_version": version})

    def finalize_response(  # type: ignore[override]
        self, request: Request, answered: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        parent: Any = super()
        response: HttpResponse = parent.finalize_response(request, answered, *args, **kwargs)
        for name, value in getattr(request._request, "rate_limit", {}).items():
            response[name] = value
        data = getattr(response, "data", None)
        shown = request.method in {"GET", "HEAD"} and response.status_code == 200
        if shown and isinstance(data, dict) and "version" in data and "ETag" not in response:
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
