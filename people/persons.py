"""The real-name register: who a person is, what they belong to, and who looked at them."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from people import identifiers, journal, locks
from people.crypto import blind_index, phone_index
from people.days import local_day
from people.models import (
    Acquaintance,
    JournalEntry,
    Organisation,
    Person,
    PersonCategory,
    Region,
    User,
)
from people.refusals import NotYours, Refusal
from people.roles import Role, Scope

DESKS = (Role.OFFICER, Role.INSTITUTION_ADMIN)
ATTEMPTS_A_DAY = 20
ATTEMPTS_SPAN = timedelta(days=1)
# Ways of having to do with a person beyond the register: whoever serves people adds its own.
SERVED_BY: list[Callable[[UUID, Collection[UUID]], bool]] = []


class AttemptRefused(Refusal):
    """Registering was refused, and that it was tried stays on record."""

    def __init__(self, person: Person) -> None:
        super().__init__()
        self.person = person


class NameDiffers(AttemptRefused):
    code = "name_differs"
    title = _("The register holds this number under another name.")


class RegisteredElsewhere(AttemptRefused):
    code = "registered_elsewhere"
    title = _("This person is on the register of another region.")


class TooManyAttempts(Refusal):
    code = "too_many_attempts"
    title = _("Too many registrations did not match. Please try again tomorrow.")


class NotUnique(Refusal):
    code = "not_unique"
    title = _("Several people share this phone. Look for the ID number instead.")


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


def register(
    said: Particulars, *, by: User, at: datetime, known_to: Organisation | None = None
) -> Person:
    """Find the person with this number or put them on the register; never overwrite anyone.

    What is refused is on record: whoever calls this in a transaction has to let it commit.

    :raises identifiers.BadIdentifier: if the number is not a resident ID number
    :raises NameDiffers: if the register holds the number under another name
    :raises RegisteredElsewhere: if the row is out of the caller's sight and stays so
    :raises TooManyAttempts: after 20 such refusals within a day
    """
    desk = known_to or _desk(by)
    with transaction.atomic():
        _require_few_attempts(by, at=at)
        try:
            return _register(said, by=by, at=at, known_to=known_to)
        except AttemptRefused as caught:
            refusal = caught
            journal.record(
                "person.register_refused",
                desk,
                by=by,
                at=at,
                reason=refusal.code,
                person_id=str(refusal.person.pk),
            )
    raise refusal


@transaction.atomic
def _register(
    said: Particulars, *, by: User, at: datetime, known_to: Organisation | None
) -> Person:
    person, created = find_or_add(said, by=by, at=at)
    # A number alone must not open somebody's row to an organisation that guesses numbers.
    if not created and person.name != said.name:
        raise NameDiffers(person)
    if known_to is None:
        if not Person.objects.visible_to(by).filter(pk=person.pk).exists():
            raise RegisteredElsewhere(person)
        return person
    _row, is_new = Acquaintance.objects.get_or_create(
        person=person, organisation=known_to, defaults={"since": at}
    )
    if is_new and not created:
        journal.record("person.acquaint", person, by=by, at=at, organisation_id=str(known_to.pk))
    return person


def _require_few_attempts(by: User, *, at: datetime) -> None:
    """Stop whoever tries names or numbers, before anything tells whether the next one is right."""
    desks = sorted(str(pk) for pk in {by.pk, *by.organisation_ids(*DESKS)})
    for desk in desks:
        locks.hold(f"registering|{desk}")
    refused = JournalEntry.objects.filter(
        object_id__in=desks, verb="person.register_refused", at__gt=at - ATTEMPTS_SPAN
    )
    times = list(refused.order_by("-at").values_list("at", flat=True)[:ATTEMPTS_A_DAY])
    if len(times) == ATTEMPTS_A_DAY:
        wait = times[-1] + ATTEMPTS_SPAN - at
        raise TooManyAttempts(retry_after=max(1, int(wait.total_seconds())))


def find_or_add(said: Particulars, *, by: User, at: datetime) -> tuple[Person, bool]:
    """Tell the person with this number, and whether this very call made the row."""
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
    return person, created


def declare_categories(person: Person, categories: tuple[str, ...], *, at: datetime) -> None:
    """Note what the person says of themselves, unrecognised until a body confirms it."""
    PersonCategory.objects.bulk_create(
        [
            PersonCategory(person=person, category=category, valid_from=local_day(at))
            for category in dict.fromkeys(categories)
        ],
        ignore_conflicts=True,
    )


def look_up(index: dict[str, str], *, purpose: str, by: User, at: datetime) -> Person | None:
    """Find exactly one visible person by number or phone; every look is on record.

    :raises NotUnique: if several people share the phone
    """
    found = list(Person.objects.visible_to(by).filter(**index).order_by("id")[:2])
    with transaction.atomic():
        journal.record(
            "person.look_up",
            found[0] if found else _desk(by),
            by=by,
            at=at,
            purpose=purpose,
            found=len(found),
        )
    # Only now: the refusal must not take the record back.
    if len(found) > 1:
        raise NotUnique
    return found[0] if found else None


def _desk(by: User) -> Organisation | User:
    """Name the organisation for which somebody looked in vain, so that its auditor sees it."""
    ids = by.organisation_ids(*DESKS)
    return Organisation.objects.filter(pk__in=ids).order_by("id").first() or by


REVEALABLE = {"id_number", "phone"}


@transaction.atomic
def reveal(person: Person, field_name: str, *, purpose: str, by: User, at: datetime) -> str:
    """Show one field in the clear; who looked, at what and why is on record.

    :raises NotYours: for an institution that neither put the person on the register nor serves them
    """
    if not _may_reveal(person, by):
        raise NotYours
    journal.record("person.reveal", person, by=by, at=at, field=field_name, purpose=purpose)
    value: Any = getattr(person, field_name)
    return str(value)


def _may_reveal(person: Person, by: User) -> bool:
    if by.may_on([Role.OFFICER], Scope(region_id=person.region_id)):
        return True
    own = by.organisation_ids(Role.INSTITUTION_ADMIN)
    # Both moments are the one at which it put the person on the register.
    first = person.known_to.filter(organisation__in=own, since=person.created_at)
    return first.exists() or any(serves(person.pk, own) for serves in SERVED_BY)
