"""Bringing the good rows of a roster into a class: in bulk, all at once, never past the seats."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TypeVar
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import prefetch_related_objects

from people import identifiers, journal, person_categories, persons
from people.days import local_day
from people.models import Acquaintance, Person, PersonCategory, Region, User
from people.policies import EnrolmentRules, Governing
from people.refusals import require_status
from training import eligibility, seats
from training.models import Enrolment, TrainingClass
from training.models.enrolments import LIVE
from training.roster_rows import Entry, Fault, same_name

# People can still be put on the roster: after filing it is frozen.
OPEN = [TrainingClass.Status.ENROLLING, TrainingClass.Status.RETURNED]
CHUNK = 500

Item = TypeVar("Item")


class OvertakenError(Exception):
    """Somebody else registered or enrolled one of these people between looking and writing."""


@dataclass(frozen=True, slots=True)
class Match:
    """A row and the person on the register with its number, if there is one."""

    entry: Entry
    index: str
    person: Person | None


@dataclass(slots=True)
class Plan:
    """What there is to do, and what is in the way."""

    training_class: TrainingClass
    policy: Governing[EnrolmentRules]
    newcomers: list[Match] = field(default_factory=list)
    unchanged: int = 0
    faults: list[Fault] = field(default_factory=list)
    remarks: list[Fault] = field(default_factory=list)
    regions: dict[str, Region] = field(default_factory=dict)
    # Registered numbers under other names; and those of people whom the institution cannot see.
    mismatches: int = 0
    mismatches_of_strangers: int = 0


def chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Cut into lists short enough for one statement."""
    remaining = iter(items)
    while chunk := list(islice(remaining, CHUNK)):
        yield chunk


def require_open(training_class: TrainingClass) -> None:
    """Check that the roster is not frozen.

    :raises WrongStatus: before the class is published and after it is filed
    """
    require_status(training_class.status, OPEN)


def plan(training_class_id: UUID, entries: Iterable[Entry], *, at: datetime) -> Plan:
    """Hold the rows against register, rules and seats, with everyone locked. Needs a transaction.

    :raises WrongStatus: if the class takes nobody any more
    """
    matches = [match for chunk in chunks(entries) for match in _match(chunk)]
    # Everywhere: first the people, in the order of their ids, then the class.
    known = sorted(match.person.pk for match in matches if match.person)
    for ids in chunks(known):
        locked = Person.objects.select_for_update(no_key=True).filter(pk__in=ids)
        list(locked.order_by("pk").values_list("pk"))
    training_class = seats.lock_class(training_class_id)
    require_open(training_class)
    found = Plan(training_class, eligibility.rules_for(training_class, at=at))
    # Of everybody, or a place that is not known would tell who is on the register.
    found.regions = _regions(training_class, {match.entry.region_name for match in matches})
    found.remarks = [
        Fault(match.entry.row, match.entry.region_column, "unknown_region")
        for match in matches
        if match.entry.region_name and match.entry.region_name not in found.regions
    ]
    for chunk in chunks(matches):
        _judge(found, chunk, at=at)
    free = max(0, training_class.seats - training_class.seats_taken)
    found.faults += [Fault(late.entry.row, "", "class_full") for late in found.newcomers[free:]]
    del found.newcomers[free:]
    return found


def _match(chunk: list[Entry]) -> Iterator[Match]:
    indexes = {persons.id_number_index(entry.id_number): entry for entry in chunk}
    # Nothing else of a person is needed, and the number and phone would have to be decrypted.
    register = Person.objects.only("id_number_index", "name", "born_on")
    known = {each.id_number_index: each for each in register.filter(id_number_index__in=indexes)}
    for index, entry in indexes.items():
        yield Match(entry, index, known.get(index))


def _judge(found: Plan, chunk: list[Match], *, at: datetime) -> None:
    ids = [match.person.pk for match in chunk if match.person]
    histories = eligibility.histories_of(ids, found.training_class)
    mismatching = []
    for match in chunk:
        history = histories[match.person.pk] if match.person else []
        if match.person and not same_name(match.person.name, match.entry.name):
            found.faults.append(Fault(match.entry.row, match.entry.name_column, "name_mismatch"))
            mismatching.append(match.person.pk)
        elif _is_enrolled(history, found.training_class):
            found.unchanged += 1
        elif faults := list(_ineligible(found, match, history, at=at)):
            found.faults += faults
        else:
            found.newcomers.append(match)
    if mismatching:
        school = found.training_class.institution_id
        seen = Acquaintance.objects.filter(person__in=mismatching, organisation=school).count()
        found.mismatches += len(mismatching)
        found.mismatches_of_strangers += len(mismatching) - seen


def _is_enrolled(history: list[Enrolment], training_class: TrainingClass) -> bool:
    return any(row.training_class_id == training_class.pk and row.status in LIVE for row in history)


def _ineligible(
    found: Plan, match: Match, history: list[Enrolment], *, at: datetime
) -> Iterator[Fault]:
    person = match.person
    if person is None:
        number = identifiers.resident_id(match.entry.id_number, on=local_day(at))
        person = Person(born_on=number.born_on)
    rules = eligibility.before_the_roster(found.training_class, person, history, found.policy.rules)
    for rule in rules:
        if rule.result == "fail":
            yield Fault(match.entry.row, "", rule.code)


def carry_out(found: Plan, *, by: User, at: datetime) -> None:
    """Register who is new, enrol everybody planned. Needs the transaction of the plan.

    :raises OvertakenError: if the plan no longer holds; plan again in a fresh transaction
    """
    training_class = found.training_class
    if not seats.take(training_class.pk, count=len(found.newcomers)):
        raise OvertakenError
    # Always in the same order, or two imports of the same people would wait for each other.
    for chunk in chunks(sorted(found.newcomers, key=lambda match: match.index)):
        new = [
            (_build(match.entry, found.regions, training_class, at=at), match.entry.categories)
            for match in chunk
            if match.person is None
        ]
        _register(new, at=at)
        known = [match.person for match in chunk if match.person]
        people = [person for person, _ in new]
        _enrol(found, [person.pk for person in [*known, *people]], by=by, at=at)
        # Only now are they known to the institution, in whose name they were registered.
        prefetch_related_objects(people, "known_to")
        journal.record_all("person.register", people, by=by, at=at)


def _regions(training_class: TrainingClass, names: set[str]) -> dict[str, Region]:
    """Find the regions that rows name, below the class's own; an ambiguous name is none."""
    class_region = training_class.region
    regions: dict[str, Region] = {}
    ambiguous: set[str] = set()
    for chunk in chunks(sorted(names - {""})):
        for region in Region.objects.within(class_region.pk).filter(
            name__in=chunk, valid_to__isnull=True
        ):
            if region.name in regions:
                ambiguous.add(region.name)
            regions[region.name] = region
    return {name: regions[name] for name in regions.keys() - ambiguous}


def _build(
    entry: Entry, regions: dict[str, Region], training_class: TrainingClass, *, at: datetime
) -> Person:
    said = persons.Particulars(
        name=entry.name,
        id_number=entry.id_number,
        region=regions.get(entry.region_name, training_class.region),
        phone=entry.phone,
        education=entry.education,
        employment_card_number=entry.employment_card_number,
    )
    return persons.build(said, at=at)


def _register(new: list[tuple[Person, tuple[str, ...]]], *, at: datetime) -> None:
    people = [person for person, _ in new]
    Person.objects.bulk_create(people, ignore_conflicts=True)
    if Person.objects.filter(pk__in=[person.pk for person in people]).count() != len(people):
        raise OvertakenError
    PersonCategory.objects.bulk_create(
        PersonCategory(person=person, category=category, valid_from=local_day(at))
        for person, categories in new
        for category in categories
    )


def _enrol(found: Plan, person_ids: list[UUID], *, by: User, at: datetime) -> None:
    training_class = found.training_class
    school = training_class.institution_id
    Acquaintance.objects.bulk_create(
        [Acquaintance(person_id=each, organisation_id=school, since=at) for each in person_ids],
        ignore_conflicts=True,
    )
    categories = person_categories.categories_on(person_ids, at=at)
    enrolments = [
        Enrolment(
            training_class=training_class,
            person_id=person_id,
            status=Enrolment.Status.ADMITTED,
            applied_at=at,
            admitted_at=at,
            categories=categories[person_id].held,
            enrolment_policy_id=found.policy.policy_id,
            created_by=by,
        )
        for person_id in person_ids
    ]
    try:
        # In a savepoint, so that a collision leaves a transaction that can be asked why.
        with transaction.atomic():
            Enrolment.objects.bulk_create(enrolments)
    except IntegrityError as error:
        raise OvertakenError from error
    journal.record_all("enrolment.import", enrolments, by=by, at=at)
    seats.tell(enrolments, training_class, by=by, at=at)
