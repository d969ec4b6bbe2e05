"""The real-name register: who a person is, and which account may speak for them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from people import identifiers, journal
from people.crypto import blind_index, phone_index
from people.days import local_day
from people.lifecycle import Lifecycle
from people.models import (
    Acquaintance,
    Organisation,
    Person,
    PersonCategory,
    PersonClaim,
    Region,
    User,
)
from people.refusals import Refusal

CLAIM_LIFECYCLE = Lifecycle(
    confirm=([PersonClaim.Status.WAITING], PersonClaim.Status.CONFIRMED),
    refuse=([PersonClaim.Status.WAITING], PersonClaim.Status.REFUSED),
)


class AlreadyRegistered(Refusal):
    code = "already_registered"
    title = _("This account already has a person.")


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


@dataclass(frozen=True)
class Particulars:
    """What a person, or a roster, says of someone."""

    name: str
    id_number: str
    region: Region
    phone: str = ""
    education: str = Person.Education.UNKNOWN
    hukou: str = Person.Hukou.UNKNOWN
    employment_card_number: str = ""
    categories: tuple[str, ...] = field(default=())


def id_number_index(number: str) -> str:
    """Hash a checked resident ID number for finding it."""
    return blind_index(number, label="id_number")


def initials(name: str) -> str:
    """Spell a Chinese name's initials, so that typing ``zs`` finds 张三."""
    # Imported here: its tables take a third of a second that most processes never need.
    from pypinyin import Style, lazy_pinyin

    return "".join(lazy_pinyin(name, style=Style.FIRST_LETTER))[:60].lower()


def build(said: Particulars, *, at: datetime) -> Person:
    """Make an unsaved person from checked particulars.

    :raises identifiers.BadIdentifier: if the number is not a resident ID number
    """
    number = identifiers.resident_id(said.id_number, on=local_day(at))
    return Person(
        name=said.name,
        name_initials=initials(said.name),
        id_number=number.number,
        id_number_index=id_number_index(number.number),
        id_number_masked=identifiers.mask_id_number(number.number),
        phone=said.phone,
        phone_index=phone_index(said.phone) if said.phone else "",
        phone_masked=identifiers.mask_phone(said.phone) if said.phone else "",
        born_on=number.born_on,
        sex=number.sex,
        education=said.education,
        hukou=said.hukou,
        employment_card_number=said.employment_card_number,
        region=said.region,
        created_at=at,
    )


@transaction.atomic
def register(
    said: Particulars, *, by: User, at: datetime, known_to: Organisation | None = None
) -> Person:
    """Find the person with this number or put them on the register; never overwrite anyone.

    :raises identifiers.BadIdentifier: if the number is not a resident ID number
    """
    fresh = build(said, at=at)
    person, created = Person.objects.get_or_create(
        id_number_index=fresh.id_number_index,
        defaults={
            f.name: getattr(fresh, f.name)
            for f in Person._meta.concrete_fields
            if f.name != "id_number_index"
        },
    )
    if created:
        journal.record("person.register", person, by=by, at=at)
        declare_categories(person, said.categories, at=at)
    if known_to is not None:
        Acquaintance.objects.get_or_create(
            person=person, organisation=known_to, defaults={"since": at}
        )
    return person


def declare_categories(person: Person, categories: tuple[str, ...], *, at: datetime) -> None:
    """Note what the person says of themselves, unrecognised until a body confirms it."""
    PersonCategory.objects.bulk_create(
        [
            PersonCategory(person=person, category=category, valid_from=local_day(at))
            for category in dict.fromkeys(categories)
        ],
        ignore_conflicts=True,
    )


@transaction.atomic
def register_self(said: Particulars, *, by: User, at: datetime) -> None:
    """Give an account its person, or let it wait for a confirmation; the caller is not told which.

    A number that the register holds is linked at once only if name and registered phone agree.

    :raises AlreadyRegistered: if the account has a person
    :raises identifiers.BadIdentifier: if the number is not a resident ID number
    """
    user = User.objects.select_for_update().get(pk=by.pk)
    if user.person_id:
        raise AlreadyRegistered
    number = identifiers.resident_id(said.id_number, on=local_day(at)).number
    person = Person.objects.filter(id_number_index=id_number_index(number)).first()
    if person is None:
        person = register(said, by=by, at=at)
        backend: RealNameCheck = import_string(settings.REAL_NAME_BACKEND)()
        if backend.matches(said.name, number):
            Person.objects.filter(pk=person.pk).update(verified_at=at)
        _link(user, person, by=by, at=at)
        return
    taken = User.objects.filter(person=person).exists()
    same = person.name == said.name and person.phone_index == user.phone_index
    if same and not taken:
        _link(user, person, by=by, at=at)
        return
    claim, created = PersonClaim.objects.update_or_create(
        user=user,
        status=PersonClaim.Status.WAITING,
        defaults={"person": person},
        create_defaults={"person": person, "created_at": at},
    )
    journal.record("person.claim", claim, by=by, at=at, again=not created)


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
    found = list(Person.objects.filter(phone_index=user.phone_index, user=None)[:2])
    if len(found) == 1:
        _link(user, found[0], by=user, at=at)


@transaction.atomic
def confirm_claim(claim: PersonClaim, *, by: User, at: datetime) -> PersonClaim:
    """Link the claimant to the person, after someone looked at the card.

    :raises AlreadyLinked: if the account or the person got linked meanwhile
    """
    claim = CLAIM_LIFECYCLE.move(claim, "confirm", by=by, at=at)
    user = User.objects.select_for_update().get(pk=claim.user_id)
    if user.person_id or User.objects.filter(person_id=claim.person_id).exists():
        raise AlreadyLinked
    _link(user, claim.person, by=by, at=at)
    return claim


@transaction.atomic
def refuse_claim(claim: PersonClaim, *, by: User, at: datetime) -> PersonClaim:
    """Leave the claimant unlinked."""
    return CLAIM_LIFECYCLE.move(claim, "refuse", by=by, at=at)


@transaction.atomic
def look_up(index: dict[str, str], *, purpose: str, by: User, at: datetime) -> Person | None:
    """Find exactly one visible person by number or phone; every look is on record."""
    person = Person.objects.visible_to(by).filter(**index).order_by("id").first()
    journal.record(
        "person.look_up", person or by, by=by, at=at, purpose=purpose, found=person is not None
    )
    return person


REVEALABLE = {"id_number", "phone"}


@transaction.atomic
def reveal(person: Person, field_name: str, *, purpose: str, by: User, at: datetime) -> str:
    """Show one field in the clear; who looked, at what and why is on record."""
    journal.record("person.reveal", person, by=by, at=at, field=field_name, purpose=purpose)
    value: Any = getattr(person, field_name)
    return str(value)


def frozen_categories(person_ids: list[UUID], *, at: datetime) -> dict[UUID, list[str]]:
    """Read the categories that hold on the day, to be frozen onto what counted then."""
    frozen: dict[UUID, list[str]] = {person_id: [] for person_id in person_ids}
    rows = PersonCategory.objects.filter(person__in=person_ids).valid_on(local_day(at))
    for person_id, category in rows.order_by("category").values_list("person_id", "category"):
        if category not in frozen[person_id]:
            frozen[person_id].append(category)
    return frozen
