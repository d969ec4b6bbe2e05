"""Which account may speak for a person: linked at once where it is certain, else confirmed."""

from dataclasses import replace
from datetime import datetime
from typing import Protocol

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from people import identifiers, journal, notices, persons
from people.days import local_day
from people.lifecycle import Lifecycle
from people.models import Person, PersonClaim, User
from people.refusals import NotYours, Refusal
from people.roles import Role, Scope

LIFECYCLE = Lifecycle(
    confirm=([PersonClaim.Status.WAITING], PersonClaim.Status.CONFIRMED),
    refuse=([PersonClaim.Status.WAITING], PersonClaim.Status.REFUSED),
)


class AlreadyRegistered(Refusal):
    code = "already_registered"
    title = _("This account has registered already.")


class AlreadyLinked(Refusal):
    code = "already_linked"
    title = _("The account or the person is already linked.")


class RealNameCheck(Protocol):
    """What a real-name adapter has to offer."""

    def matches(self, name: str, id_number: str) -> bool | None:
        """Tell whether name and number belong together; ``None`` when it cannot say."""


class NoRealNameCheck:
    """Verifies nothing: the person stays unverified until someone looks at the card."""

    def matches(self, name: str, id_number: str) -> bool | None:
        return None


@transaction.atomic
def register_self(said: persons.Particulars, *, by: User, at: datetime) -> None:
    """Give an account its person, or let it wait for a confirmation; the caller is not told which.

    A second try is refused in both cases, or trying would tell whose numbers are registered; the
    same again changes nothing, because a reply can be lost.

    :raises AlreadyRegistered: if the account has another person, or waits for one
    :raises identifiers.BadIdentifier: if the number is not a resident ID number
    """
    user = User.objects.select_for_update().get(pk=by.pk)
    if user.person_id or is_waiting(user):
        if _said_before(user, said, at=at):
            return
        raise AlreadyRegistered
    person, created = persons.find_or_add(replace(said, phone=user.phone), by=by, at=at)
    person = Person.objects.select_for_update().get(pk=person.pk)
    if created:
        backend: RealNameCheck = import_string(settings.REAL_NAME_BACKEND)()
        if backend.matches(person.name, person.id_number):
            Person.objects.filter(pk=person.pk).update(verified_at=at)
    same = person.name == said.name and person.phone_index == user.phone_index
    if same and not User.objects.filter(person=person).exists():
        _link(user, person, by=by, at=at)
        return
    claim = PersonClaim.objects.create(user=user, person=person, name=said.name, created_at=at)
    journal.record("person.claim", claim, by=by, at=at)


def is_waiting(user: User) -> bool:
    """Tell whether a claim of the account waits for a confirmation."""
    return user.claims.filter(status=PersonClaim.Status.WAITING).exists()


def _said_before(user: User, said: persons.Particulars, *, at: datetime) -> bool:
    number = identifiers.resident_id(said.id_number, on=local_day(at)).number
    index = persons.id_number_index(number)
    if user.person_id:
        own = Person.objects.filter(pk=user.person_id, id_number_index=index, name=said.name)
        return own.exists()
    return user.claims.filter(
        status=PersonClaim.Status.WAITING, person__id_number_index=index, name=said.name
    ).exists()


def _link(user: User, person: Person, *, by: User, at: datetime) -> None:
    user.person = person
    user.save(update_fields=["person"])
    journal.record("person.link", person, by=by, at=at)


def link_on_first_login(user: User, *, at: datetime) -> None:
    """Link a new account to the one registered person with its phone, if that is certain.

    Institutions register people with their phones; whoever proves the phone by a code is that
    person, unless two persons share it.
    """
    if user.person_id:
        return
    found = list(
        Person.objects.select_for_update().filter(phone_index=user.phone_index).order_by("id")[:2]
    )
    if len(found) == 1 and not User.objects.filter(person=found[0]).exists():
        _link(user, found[0], by=user, at=at)


@transaction.atomic
def confirm(claim: PersonClaim, *, by: User, at: datetime) -> PersonClaim:
    """Link the claimant to the person, after someone looked at the card.

    :raises NotYours: for an institution that did not know the person before the claim was made
    :raises AlreadyLinked: if the account or the person got linked meanwhile
    """
    LIFECYCLE.lock(claim, "confirm")
    if not _may_confirm(claim, by):
        raise NotYours
    claim = LIFECYCLE.move(claim, "confirm", by=by, at=at)
    user = User.objects.select_for_update().get(pk=claim.user_id)
    person = Person.objects.select_for_update().get(pk=claim.person_id)
    if user.person_id or User.objects.filter(person=person).exists():
        raise AlreadyLinked
    _link(user, person, by=by, at=at)
    notices.tell([person.pk], "person_confirmed", claim, at=at)
    return claim


def _may_confirm(claim: PersonClaim, by: User) -> bool:
    if by.may_on([Role.OFFICER], Scope(region_id=claim.person.region_id)):
        return True
    # Whoever learnt of the person only then could have done so to hand the row to the claimant.
    return claim.person.known_to.filter(
        organisation__in=by.organisation_ids(Role.INSTITUTION_ADMIN), since__lt=claim.created_at
    ).exists()


@transaction.atomic
def refuse(claim: PersonClaim, *, by: User, at: datetime) -> PersonClaim:
    """Leave the claimant unlinked."""
    return LIFECYCLE.move(claim, "refuse", by=by, at=at)
