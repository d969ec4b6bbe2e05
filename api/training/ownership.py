"""For which institution a caller acts, and what only its staff may read."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as translate
from rest_framework.serializers import BaseSerializer

from api.problems import Problem, bad_member
from api.resource import Resource
from people.models import Organisation
from people.roles import Role, Scope

STAFF = [Role.INSTITUTION_ADMIN, Role.TRAINER, Role.OFFICER, Role.AUDITOR]


def institution_named(door: Resource, institution_id: UUID | None) -> Organisation:
    """Find the institution that a body names, or the only one that the caller administers.

    :raises Problem: 400 if it is unknown or has to be named, 403 if it is somebody else's
    """
    own = door.user.organisation_ids(Role.INSTITUTION_ADMIN)
    if institution_id is None:
        if len(own) != 1:
            detail = translate("You administer several institutions: say which one.")
            raise bad_member("institution_id", "required", detail)
        institution_id = own[0]
    institution: Organisation = door.visible(Organisation, institution_id, "institution_id")
    if institution.pk not in own:
        raise Problem(403)
    return institution


def for_staff(serializer: BaseSerializer[Any], scope: Scope, text: str) -> str:
    """Show a text to those who work on the row, and nothing to everybody else."""
    request = serializer.context.get("request")
    if request is None or request.user.is_anonymous or not request.user.may_on(STAFF, scope):
        return ""
    return text
