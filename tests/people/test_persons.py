"""The register: one row per number, nobody overwritten, every look on record."""

import re
from datetime import UTC, date, datetime

import pytest

from people import identifiers, persons
from people.crypto import phone_index
from people.models import JournalEntry, Person, PersonCategory
from people.roles import Role
from tests import factories

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
PHONE = "13812340001"


def said(number=None, name="测试一", **more):
    number = number or factories.id_number()
    return persons.Particulars(name=name, id_number=number, region=factories.region(), **more)


# -- registering ----------------------------------------------------------------------------------


def test_number_and_phone_are_encrypted_and_masked(institution_admin, institution):
    number = factories.id_number()

    person = persons.register(
        said(number, phone=PHONE), by=institution_admin, at=NOON, known_to=institution
    )

    stored = Person.objects.extra(select={"raw": "id_number", "tel": "phone"}).values("raw", "tel")
    assert number not in stored.get()["raw"]
    assert PHONE not in stored.get()["tel"]
    assert re.fullmatch(r"430\*{11}\w{4}", person.id_number_masked)
    assert person.phone_masked == "138****0001"


def test_same_number_gives_the_same_person_unchanged(institution_admin, institution):
    number = factories.id_number()
    first = persons.register(
        said(number, phone=PHONE), by=institution_admin, at=NOON, known_to=institution
    )

    again = persons.register(
        said(number, phone="13812340009", education="bachelor"),
        by=institution_admin,
        at=NOON,
        known_to=institution,
    )

    assert again == first
    assert again.phone == PHONE
    assert again.education == "unknown"


def test_number_alone_does_not_open_a_row_to_another_institution(stranger_admin, institution_admin):
    number = factories.id_number()
    here, there = (
        admin.memberships.get().organisation for admin in (institution_admin, stranger_admin)
    )
    person = persons.register(said(number), by=institution_admin, at=NOON, known_to=here)

    with pytest.raises(persons.NameDiffers):
        persons.register(said(number, name="随便猜"), by=stranger_admin, at=NOON, known_to=there)
    assert not Person.objects.visible_to(stranger_admin).filter(pk=person.pk).exists()


def test_officer_does_not_get_sight_of_another_region_by_registering(officer, officer_elsewhere):
    number = factories.id_number()
    persons.register(said(number), by=officer, at=NOON)

    with pytest.raises(persons.RegisteredElsewhere):
        persons.register(said(number), by=officer_elsewhere, at=NOON)


def test_bad_number_is_refused_with_what_is_wrong(officer):
    with pytest.raises(identifiers.BadIdentifier) as fault:
        persons.register(said("430202198503010000"), by=officer, at=NOON)
    assert fault.value.code == "wrong_check_digit"


@pytest.mark.parametrize(("name", "typed"), [("张三", "zs"), ("欧阳样例", "oyyl")])
def test_initials_spell_the_name(name, typed):
    assert persons.initials(name) == typed


# -- looking --------------------------------------------------------------------------------------


def test_every_look_is_on_record_found_or_not(officer, auditor):
    person = factories.person(phone=PHONE)

    for phone in (PHONE, "13812340009"):
        persons.look_up(
            {"phone_index": phone_index(phone)}, purpose="来访核对", by=officer, at=NOON
        )

    looks = JournalEntry.objects.visible_to(auditor).filter(verb="person.look_up").order_by("id")
    assert [(look.facts["found"], look.by_id) for look in looks] == [
        (1, officer.pk), (0, officer.pk)
    ]  # fmt: skip
    assert looks[0].object_id == str(person.pk)


def test_shared_phone_is_refused_but_still_on_record(officer):
    for name in ("测试一", "测试二"):
        factories.person(phone=PHONE, name=name)

    with pytest.raises(persons.NotUnique):
        persons.look_up({"phone_index": phone_index(PHONE)}, purpose="核对", by=officer, at=NOON)
    assert JournalEntry.objects.filter(verb="person.look_up").count() == 1


def test_journal_never_holds_the_number(officer):
    number = factories.id_number()
    person = persons.register(said(number, phone=PHONE), by=officer, at=NOON)
    persons.reveal(person, "id_number", purpose="打印证书", by=officer, at=NOON)

    recorded = " ".join(str(entry) + str(entry.facts) for entry in JournalEntry.objects.all())

    assert number not in recorded
    assert PHONE not in recorded


# -- categories -----------------------------------------------------------------------------------

MAY, JUNE, JULY = date(2026, 5, 1), date(2026, 6, 1), date(2026, 7, 1)


def recognise(person, officer, valid_from, valid_to=None):
    return persons.recognise(
        person, "hard_to_employ", valid_from=valid_from, valid_to=valid_to, by=officer, at=NOON
    )


def test_recognising_names_the_officers_bureau(officer):
    person = factories.person()

    row = recognise(person, officer, MAY)

    assert row.recognised_by == officer.memberships.get(role=Role.OFFICER).organisation


def test_declared_category_becomes_recognised(officer):
    person = factories.person()
    persons.declare_categories(person, ("hard_to_employ",), at=NOON)

    recognise(person, officer, date(2026, 3, 2), JUNE)

    row = PersonCategory.objects.get()
    assert (row.valid_to, bool(row.recognised_by)) == (JUNE, True)


def test_recognised_periods_do_not_share_a_day(officer):
    person = factories.person()
    recognise(person, officer, MAY, JUNE)

    with pytest.raises(persons.AlreadyRecognised):
        recognise(person, officer, JUNE, JULY)
    assert recognise(person, officer, date(2026, 6, 2), JULY)


def test_categories_are_those_of_the_day(officer):
    person = factories.person()
    recognise(person, officer, MAY, JUNE)

    def on(day):
        return persons.categories_on([person.pk], at=factories.moment(day))[person.pk].held

    assert on(date(2026, 4, 30)) == []
    assert on(MAY) == on(JUNE) == ["hard_to_employ"]
    assert on(date(2026, 6, 2)) == []
