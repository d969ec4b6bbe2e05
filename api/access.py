"""Who may knock: the ``may`` table on the door, closed by default."""

from typing import TYPE_CHECKING, Any, Final

from rest_framework.exceptions import MethodNotAllowed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from people.roles import Role

if TYPE_CHECKING:  # resource imports settings' permission class, which is this one
    from api.resource import Resource

ANYONE: Final = frozenset({"anyone"})
SIGNED_IN: Final = frozenset({Role.TRAINEE})


class RoleMay(BasePermission):
    """First: has the caller the role anywhere? Then, for a row: has the caller it *there*?"""

    def has_permission(self, request: Request, view: "Resource") -> bool:  # type: ignore[override]
        if view.action is None:
            raise MethodNotAllowed(str(request.method))
        if view.action == "metadata":  # OPTIONS tells the methods of the path, nothing more
            return True
        roles = view.may.get(view.action)
        if roles is None:
            return False
        if roles is ANYONE:
            return True
        return request.user.is_authenticated and bool(request.user.roles & set(roles))

    def has_object_permission(self, request: Request, view: "Resource", obj: Any) -> bool:  # type: ignore[override]
        roles: Any = view.may.get(view.action or "", frozenset())
        if roles is ANYONE or roles is SIGNED_IN or view.action in view.sight_suffices:
            return True
        return request.user.is_authenticated and request.user.may_on(roles, obj.scope)
