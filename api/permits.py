"""What a role adds: the operations of the document whose ``may`` names it."""

from functools import cache

from django.urls import get_resolver

from api.schema_names import operation_id
from people.roles import Role


@cache
def permits(role: Role) -> list[str]:
    """List the operationIds that the role opens, beyond what everyone who is signed in may do."""
    found = set()
    for pattern in get_resolver("api.urls").url_patterns:
        may = getattr(getattr(pattern.callback, "cls", None), "may", {})
        for method, action in getattr(pattern.callback, "actions", {}).items():
            if method != "head" and role in may.get(action, ()):
                found.add(operation_id(str(pattern.pattern), method.upper(), action))
    return sorted(found)
