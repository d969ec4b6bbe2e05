"""Giving an account a role in an organisation, and taking it away again."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from people import accounts, journal
from people.models import Membership, Organisation, User
from people.refusals import Refusal
from people.roles import Role

Kind = Organisation.Kind

# A role means something in one kind of organisation only: an officer of a training institution
# would reach the institution's whole region.
KIND_OF_ROLE = {
    Role.TRAINER: Kind.INSTITUTION,
    Role.INSTITUTION_ADMIN: Kind.INSTITUTION,
    Role.INCUBATOR_MANAGER: Kind.INCUBATOR,
    Role.FOUNDER: Kind.TENANT,
    Role.OFFICER: Kind.BUREAU,
    Role.AUDITOR: Kind.BUREAU,
    Role.SYSTEM_ADMIN: Kind.BUREAU,
}
# Nobody hands out more than they hold.
GIVES = {
    Role.INSTITUTION_ADMIN: frozenset({Role.TRAINER, Role.INSTITUTION_ADMIN}),
    Role.SYSTEM_ADMIN: frozenset(KIND_OF_ROLE),
}


class RoleNotYoursToGive(Refusal):
    code = "role_not_yours_to_give"
    title = _("You may not give or take away this role here.")


class RoleDoesNotFit(Refusal):
    code = "role_does_not_fit"
    title = _("This role does not exist in this kind of organisation.")


@transaction.atomic
def give(
    user: User, role: Role, organisation: Organisation, *, by: User | None, at: datetime
) -> Membership:
    """Give an account a role in an organisation, once.

    :raises RoleDoesNotFit: if the organisation is of another kind
    """
    if KIND_OF_ROLE.get(role) != organisation.kind:
        raise RoleDoesNotFit(role=role, kind=organisation.kind)
    membership, created = Membership.objects.get_or_create(
        user=user, organisation=organisation, role=role, defaults={"created_at": at}
    )
    if created:
        journal.record("membership.give", membership, by=by, at=at, role=role)
    return membership


@transaction.atomic
def invite(
    phone: str, role: Role, organisation: Organisation, *, by: User, at: datetime
) -> Membership:
    """Give whoever holds the phone a role; an unknown phone gets an account without a password.

    :raises RoleNotYoursToGive: if nothing that the giver holds there allows it
    :raises RoleDoesNotFit: if the organisation is of another kind
    """
    _check_giver(role, organisation, by)
    user, created = accounts.find_or_make(phone, at=at)
    if created:
        journal.record("user.invite", user, by=by, at=at)
    return give(user, role, organisation, by=by, at=at)


@transaction.atomic
def remove(membership: Membership, *, by: User, at: datetime) -> None:
    """Take the role away; the account's next request is without it.

    :raises RoleNotYoursToGive: if nothing that the remover holds there allows it
    """
    role = Role(membership.role)
    _check_giver(role, membership.organisation, by)
    journal.record("membership.remove", membership, by=by, at=at, role=role)
    membership.delete()


def _check_giver(role: Role, organisation: Organisation, by: User) -> None:
    if not any(
        role in given and by.may_on([held], organisation.scope) for held, given in GIVES.items()
    ):
        raise RoleNotYoursToGive(role=role)
