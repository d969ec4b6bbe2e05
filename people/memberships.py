"""Giving an account a role in an organisation, and taking it away again."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from people import accounts, journal
from people.models import Membership, Organisation, User
from people.refusals import OwnRequest, Refusal
from people.roles import BY_REGION, Role, Scope

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


class SupervisesHere(Refusal):
    code = "supervises_here"
    title = _("Whoever supervises this organisation cannot belong to it.")


@transaction.atomic
def give(
    user: User, role: Role, organisation: Organisation, *, by: User | None, at: datetime
) -> Membership:
    """Give an account a role in an organisation, once.

    :raises RoleDoesNotFit: if the organisation is of another kind
    :raises OwnRequest: if somebody gives themselves a role that they do not have
    :raises SupervisesHere: unless the system administrator gives it
    """
    if KIND_OF_ROLE.get(role) != organisation.kind:
        raise RoleDoesNotFit(role=role, kind=organisation.kind)
    held = Membership.objects.filter(user=user, organisation=organisation, role=role).first()
    if held is not None:
        return held
    if by is not None:
        _check_taker(user, organisation, by)
    membership, created = Membership.objects.get_or_create(
        user=user, organisation=organisation, role=role, defaults={"created_at": at}
    )
    if created:
        journal.record("membership.give", membership, by=by, at=at, role=role)
    return membership


def _check_taker(user: User, organisation: Organisation, by: User) -> None:
    if user.pk == by.pk:
        raise OwnRequest
    # Members decide nothing about their own institution: whoever could make the officer a member
    # would be rid of the supervision.
    if user.may_on(BY_REGION, Scope(region_id=organisation.region_id)) and not by.may_on(
        [Role.SYSTEM_ADMIN], organisation.scope
    ):
        raise SupervisesHere


@transaction.atomic
def invite(
    phone: str, role: Role, organisation: Organisation, *, by: User, at: datetime
) -> Membership:
    """Give whoever holds the phone a role; an unknown phone gets an account without a password.

    :raises RoleNotYoursToGive: if nothing that the giver holds there allows it
    :raises RoleDoesNotFit: if the organisation is of another kind
    :raises OwnRequest: if somebody gives themselves a role that they do not have
    :raises SupervisesHere: unless the system administrator gives it
    """
    _check_giver(role, organisation, by)
    return give(account_of(phone, by=by, at=at), role, organisation, by=by, at=at)


@transaction.atomic
def account_of(phone: str, *, by: User, at: datetime) -> User:
    """Find the account of a phone; an unknown phone gets one without a password."""
    user, created = accounts.find_or_make(phone, at=at)
    if created:
        journal.record("user.invite", user, by=by, at=at)
    return user


@transaction.atomic
def remove(membership: Membership, *, by: User, at: datetime) -> None:
    """Take the role away; the account's next request is without it. Anybody may leave.

    :raises RoleNotYoursToGive: if nothing that the remover holds there allows it
    """
    role = Role(membership.role)
    if membership.user_id != by.pk:
        _check_giver(role, membership.organisation, by)
    journal.record("membership.remove", membership, by=by, at=at, role=role)
    membership.delete()


def _check_giver(role: Role, organisation: Organisation, by: User) -> None:
    if not any(
        role in given and by.may_on([held], organisation.scope) for held, given in GIVES.items()
    ):
        raise RoleNotYoursToGive(role=role)
