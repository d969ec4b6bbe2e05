"""Putting an organisation on the register."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from people import identifiers, journal, locks
from people.models import Organisation, Region, User
from people.refusals import Refusal


class AlreadyOnTheRegister(Refusal):
    code = "already_on_the_register"
    title = _("An organisation with this credit code is on the register.")


@transaction.atomic
def register(
    kind: str,
    name: str,
    credit_code: str,
    region: Region,
    *,
    address: str = "",
    key: UUID | None = None,
    by: User,
    at: datetime,
) -> Organisation:
    """Register an organisation under its unified social credit code; ``key`` chooses its id.

    :raises identifiers.BadIdentifier: if the code is malformed or its check character wrong
    :raises AlreadyOnTheRegister: if another organisation has the code
    """
    code = identifiers.credit_code(credit_code)
    locks.hold(f"credit code|{code}")
    if Organisation.objects.filter(credit_code=code).exists():
        raise AlreadyOnTheRegister
    organisation = Organisation(
        kind=kind, name=name, credit_code=code, region=region, address=address, created_at=at
    )
    if key is not None:
        organisation.pk = key
    organisation.save(force_insert=True)
    journal.record("organisation.register", organisation, by=by, at=at, kind=kind)
    return organisation
