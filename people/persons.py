"""The real-name register: who a person is, what they belong to, and who looked at them."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from people import identifiers, journal
from people.crypto import blind_index, phone_index
from people.days import local_day
from people.models import (
    Acquaintance,
    Organisation,
    Person,
    PersonCategory,
    Region,
    StoredFile,
    User,
)
from people.refusals import Refusal
from people.roles import Role


class NameDiffers(Refusal):
    code = "name_differs"
    title = _("The register holds this number under another name.")


class RegisteredElsewhere(Refusal):
    code = "registered_elsewhere"
    title = _("This person is on the register of another region.")


class NotUnique(Refusal):
    code = "not_unique"
    title = _("Several people share this phone. Look for the ID number instead.")


class AlreadyRecognised(Refusal):
    code = "already_recognised"
    title = _("This category is recognised already for these days.")


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
    :raises NameDiffers: if the register holds the number under another name
    :raises RegisteredElsewhere: if the row is out of the caller's sight and stays so
    """
    person, created = find_or_add(said, by=by, at=at)
    # A number alone must not open somebody's row to an organisation that guesses numbers.
    if not created and person.name != said.name:
        raise NameDiffers
    if known_to is not None:
        Acquaintance.objects.get_or_create(
            person=person, organisation=known_to, defaults={"since": at}
        )
    elif not Person.objects.visible_to(by).filter(pk=person.pk).exists():
        raise RegisteredElsewhere
    return person


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
    ids = by.organisation_ids(Role.OFFICER, Role.INSTITUTION_ADMIN)
    return Organisation.objects.filter(pk__in=ids).order_by("id").first() or by


REVEALABLE = {"id_number", "phone"}


@transaction.atomic
def reveal(person: Person, field_name: str, *, purpose: str, by: User, at: datetime) -> str:
    """Show one field in the clear; who looked, at what and why is on record."""
    journal.record("person.reveal", person, by=by, at=at, field=field_name, purpose=purpose)
    value: Any = getattr(person, field_name)
    return str(value)


@transaction.atomic
def recognise(
    person: Person,
    category: str,
    *,
    valid_from: date,
    valid_to: date | None = None,
    evidence: StoredFile | None = None,
    by: User,
    at: datetime,
) -> PersonCategory:
    """Recognise, for the officer's bureau, that a person belongs to a category for some days.

    What the person declared for the same first day becomes recognised.

    :raises AlreadyRecognised: if a recognised period of the category shares a day with it
    """
    Person.objects.select_for_update().get(pk=person.pk)
    recognised = PersonCategory.objects.filter(
        person=person, category=category, recognised_by__isnull=False
    )
    shared = recognised.filter(Q(valid_to__isnull=True) | Q(valid_to__gte=valid_from))
    if valid_to is not None:
        shared = shared.filter(valid_from__lte=valid_to)
    if shared.exists():
        raise AlreadyRecognised(category=category)
    row, _created = PersonCategory.objects.update_or_create(
        person=person,
        category=category,
        valid_from=valid_from,
        defaults={
            "valid_to": valid_to,
            "recognised_by_id": by.bureau_id(person.region_id),
            "evidence": evidence,
        },
    )
    journal.record("person.recognise", person, by=by, at=at, category=category)
    return row


@dataclass(frozen=True)
class Categories:
    """The categories of a person on a day, to be frozen onto what counted then."""

    held: list[str] = field(default_factory=list)
    # Those among them that a body recognised; the others are what the person says.
    recognised: list[str] = field(default_factory=list)


def categories_on(person_ids: list[UUID], *, at: datetime) -> dict[UUID, Categories]:
    """Read the categories that hold on the local day, each once, in alphabetical order."""
    found = {person_id: Categories() for person_id in person_ids}
    rows = PersonCategory.objects.filter(person__in=person_ids).valid_on(local_day(at))
    columns = ("person_id", "category", "recognised_by_id")
    for person_id, category, recognised_by in rows.order_by("category").values_list(*columns):
        categories = found[person_id]
        if category not in categories.held:
            categories.held.append(category)
        if recognised_by and category not in categories.recognised:
            categories.recognised.append(category)
    return found
