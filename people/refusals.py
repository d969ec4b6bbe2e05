"""How the domain says no: a named fact with a machine code and a sentence for the person."""

from collections.abc import Collection
from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Refusal(Exception):
    """The rules do not allow it now; subclasses stand beside the verb that raises them.

    ``facts`` are the values behind the sentence, shown to the caller: never personal data.
    """

    code: ClassVar[str]
    title: ClassVar[str | Promise]

    def __init__(self, **facts: Any) -> None:
        super().__init__(self.code)
        self.facts = facts


class WrongStatus(Refusal):
    code = "wrong_status"
    title = _("Its present status does not allow this.")


class NotYours(Refusal):
    code = "not_yours"
    title = _("Someone else has to do this.")


class OwnRequest(Refusal):
    code = "own_request"
    title = _("You asked for this yourself, so someone else has to decide.")


class IdTaken(Refusal):
    """The id that the client made names another row; ``id`` is among the facts."""

    code = "id_taken"
    title = _("Another record has this id.")


def require_status(status: str, allowed: Collection[str]) -> None:
    """Refuse a row in any other status.

    :raises WrongStatus: with the status, and those that would do
    """
    if status not in allowed:
        raise WrongStatus(status=status, allowed_from=sorted(allowed))
