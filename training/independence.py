"""Who decides about an institution must not belong to it."""

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from people.models import User
from people.refusals import OwnRequest as OwnRequest
from people.refusals import Refusal


class OwnInstitution(Refusal):
    code = "own_institution"
    title = _("You belong to this institution, so someone else has to decide.")


def require(by: User, *, institution_id: UUID, asked_by_id: UUID | None) -> None:
    """Refuse a decision about one's own institution or one's own request.

    :raises OwnInstitution: for a member of the institution, in whatever role
    :raises OwnRequest: for the person who asked
    """
    if institution_id in by.organisation_ids():
        raise OwnInstitution
    if by.pk == asked_by_id:
        raise OwnRequest
