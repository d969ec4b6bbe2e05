"""The register: one row per number, nobody overwritten, every look on record."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from people import identifiers, persons
from people.crypto import phone_index
from people.models import JournalEntry, Person
from people.refusals import NotYours
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


def attempts(by=None):
    entries = JournalEntry.objects.filter(verb="person.register_refused")
    return list(entries.filter(by_id=by.pk) if by else entries)


def test_attempt_with_a_wrong_name_is_on_record(stranger_admin, auditor):
    there = stranger_admin.memberships.get().organisation
    person = factories.person(name="测试一")

    with pytest.raises(persons.NameDiffers):
        persons.register(
            said(person.id_number, "随便猜"), by=stranger_admin, at=NOON, known_to=there
        )

    entry = JournalEntry.objects.visible_to(auditor).get()
    assert (entry.verb, entry.object_id) == ("person.register_refused", str(there.pk))
    assert entry.facts == {"reason": "name_differs", "person_id": str(person.pk)}


def test_attempt_to_register_somebody_of_another_region_is_on_record(officer, officer_elsewhere):
    number = factories.id_number()
    persons.register(said(number), by=officer, at=NOON)

    with pytest.raises(persons.RegisteredElsewhere):
        persons.register(said(number), by=officer_elsewhere, at=NOON)

    assert [entry.facts["reason"] for entry in attempts()] == ["registered_elsewhere"]


def test_after_twenty_attempts_in_a_day_nothing_tells_whether_a_name_is_right(stranger_admin):
    there = stranger_admin.memberships.get().organisation
    person = factories.person(name="测试一")

    def register(number, name, at=NOON):
        return persons.register(said(number, name), by=stranger_admin, at=at, known_to=there)

    for _guess in range(20):
        with pytest.raises(persons.NameDiffers):
            register(person.id_number, "随便猜")

    for number, name in [
        (person.id_number, "随便猜"), (person.id_number, "测试一"), (factories.id_number(), "新人"),
    ]:  # fmt: skip
        with pytest.raises(persons.TooManyAttempts) as refusal:
            register(number, name, NOON + timedelta(hours=23))
        assert 3599 <= refusal.value.facts["retry_after"] <= 3601
    assert len(attempts()) == 20
    assert register(person.id_number, "测试一", NOON + timedelta(hours=25)) == person


def test_colleagues_share_the_attempts_and_other_institutions_do_not(stranger_admin):
    there, elsewhere = stranger_admin.memberships.get().organisation, factories.institution()
    colleague = factories.user(roles=[(Role.INSTITUTION_ADMIN, there)])
    another = factories.user(roles=[(Role.INSTITUTION_ADMIN, elsewhere)])
    person = factories.person(name="测试一")
    for _guess in range(20):
        with pytest.raises(persons.NameDiffers):
            persons.register(
                said(person.id_number, "随便猜"), by=stranger_admin, at=NOON, known_to=there
            )

    with pytest.raises(persons.TooManyAttempts):
        persons.register(said(), by=colleague, at=NOON, known_to=there)
    assert persons.register(said(), by=another, at=NOON, known_to=elsewhere)


def test_getting_to_know_somebody_is_on_record_once(stranger_admin):
    there = stranger_admin.memberships.get().organisation
    person = factories.person(name="测试一")

    for _time in range(2):
        persons.register(said(person.id_number), by=stranger_admin, at=NOON, known_to=there)
    persons.register(said(), by=stranger_admin, at=NOON, known_to=there)

    entry = JournalEntry.objects.get(verb="person.acquaint")
    assert (entry.object_id, entry.by_id) == (str(person.pk), stranger_admin.pk)
    assert entry.facts == {"organisation_id": str(there.pk)}


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


def reveal(person, by):
    return persons.reveal(person, "phone", purpose="联系", by=by, at=NOON)


def test_institution_that_only_got_to_know_somebody_reveals_nothing(stranger_admin, institution):
    there = stranger_admin.memberships.get().organisation
    person = factories.person(name="测试一", known_to=institution)
    persons.register(said(person.id_number), by=stranger_admin, at=timezone.now(), known_to=there)

    with pytest.raises(NotYours):
        reveal(person, stranger_admin)
    assert not JournalEntry.objects.filter(verb="person.reveal").exists()


def test_institution_that_put_somebody_on_the_register_reveals(stranger_admin):
    there = stranger_admin.memberships.get().organisation
    person = persons.register(said(phone=PHONE), by=stranger_admin, at=NOON, known_to=there)

    assert reveal(person, stranger_admin) == PHONE


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        ("applied", True),
        ("waitlisted", True),
        ("offered", True),
        ("admitted", True),
        ("completed", True),
        ("rejected", False),
        ("lapsed", False),
        ("withdrawn", False),
        ("dropped", False),
        ("failed", False),
        ("no_show", False),
    ],
)
def test_institution_reveals_whom_it_serves(institution, institution_admin, status, shown):
    person = factories.person(phone=PHONE)
    here = factories.training_class("in_progress", institution=institution)
    factories.enrolment(here, person, status)

    if shown:
        assert reveal(person, institution_admin) == PHONE
    else:
        with pytest.raises(NotYours):
            reveal(person, institution_admin)


def test_journal_never_holds_the_number(officer):
    number = factories.id_number()
    person = persons.register(said(number, phone=PHONE), by=officer, at=NOON)
    persons.reveal(person, "id_number", purpose="打印证书", by=officer, at=NOON)

    recorded = " ".join(str(entry) + str(entry.facts) for entry in JournalEntry.objects.all())

    assert number not in recorded
    assert PHONE not in recorded
