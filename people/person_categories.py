"""The categories that people belong to: recognised for some days, and read for one."""

from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from people import journal
from people.days import local_day
from people.models import Person, PersonCategory, StoredFile, User
from people.refusals import Refusal


class AlreadyRecognised(Refusal):
    code = "already_recognised"
    title = _("This category is recognised already for these days.")


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
