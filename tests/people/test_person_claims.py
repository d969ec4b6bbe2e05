"""Registering oneself: linked where it is certain, else somebody looks at the card."""

from datetime import UTC, datetime, timedelta

import pytest

from people import person_claims, persons
from people.models import Acquaintance, JournalEntry, PersonClaim
from people.refusals import NotYours, WrongStatus
from tests import factories

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
PHONE = "13812340001"


def said(number=None, name="测试一", **more):
    number = number or factories.id_number()
    return persons.Particulars(name=name, id_number=number, region=factories.region(), **more)


# -- registering oneself --------------------------------------------------------------------------


def account(phone=PHONE):
    return factories.user(phone)


def linked(user):
    user.refresh_from_db()
    return user.person


def test_unknown_number_makes_a_new_unverified_person():
    user = account()

    person_claims.register_self(said(categories=("veteran",)), by=user, at=NOON)

    assert linked(user).phone == PHONE
    assert linked(user).verified_at is None
    assert [row.category for row in linked(user).categories.all()] == ["veteran"]


def test_known_number_links_at_once_when_name_and_phone_agree():
    number = factories.id_number()
    person = factories.person(id_number=number, name="测试一", phone=PHONE)
    user = account()

    person_claims.register_self(said(number, "测试一"), by=user, at=NOON)

    assert linked(user) == person


@pytest.mark.parametrize(("name", "phone"), [("测试二", PHONE), ("测试一", "13812340002")])
def test_known_number_waits_when_name_or_phone_differs(name, phone):
    number = factories.id_number()
    person = factories.person(id_number=number, name="测试一", phone=PHONE)
    user = account(phone)

    person_claims.register_self(said(number, name), by=user, at=NOON)

    assert linked(user) is None
    claim = PersonClaim.objects.get()
    assert (claim.person, claim.user, claim.name, claim.status) == (person, user, name, "waiting")


def test_person_of_another_account_is_never_taken_over():
    number = factories.id_number()
    person = factories.person(id_number=number, name="测试一", phone=PHONE)
    owner = factories.user("13812340002", person=person)
    user = account(PHONE)

    person_claims.register_self(said(number, "测试一"), by=user, at=NOON)

    assert linked(user) is None
    assert linked(owner) == person


@pytest.mark.parametrize("name", ["测试一", "测试二"])
def test_same_registration_again_changes_nothing(name):
    number = factories.id_number()
    factories.person(id_number=number, name="测试一", phone=PHONE)
    user = account()
    person_claims.register_self(said(number, name), by=user, at=NOON)
    before = JournalEntry.objects.count(), PersonClaim.objects.count(), linked(user)

    person_claims.register_self(said(number, name), by=user, at=NOON)

    assert (JournalEntry.objects.count(), PersonClaim.objects.count(), linked(user)) == before


@pytest.mark.parametrize("waits", [True, False])
@pytest.mark.parametrize("other", ["name", "number"])
def test_another_registration_is_refused(waits, other):
    number = factories.id_number()
    if waits:
        factories.person(id_number=number, name="测试二")
    user = account()
    person_claims.register_self(said(number), by=user, at=NOON)

    again = said(number, "测试三") if other == "name" else said()
    with pytest.raises(person_claims.AlreadyRegistered):
        person_claims.register_self(again, by=user, at=NOON)


@pytest.mark.parametrize("known", [True, False])
def test_second_try_is_refused_whatever_happened_first(known):
    number = factories.id_number()
    if known:
        factories.person(id_number=number, name="测试二")
    user = account()
    person_claims.register_self(said(number), by=user, at=NOON)

    with pytest.raises(person_claims.AlreadyRegistered):
        person_claims.register_self(said(), by=user, at=NOON)


def test_real_name_adapter_verifies_a_new_person(settings):
    settings.REAL_NAME_BACKEND = "tests.people.test_person_claims.Verifies"
    user = account()

    person_claims.register_self(said(), by=user, at=NOON)

    assert linked(user).verified_at == NOON


class Verifies:
    def matches(self, name, id_number):
        return True


# -- claims ---------------------------------------------------------------------------------------


@pytest.fixture
def claim():
    number = factories.id_number()
    factories.person(id_number=number, name="测试一")
    person_claims.register_self(said(number, "测试一"), by=account(), at=NOON)
    return PersonClaim.objects.get()


DRAWING = {
    # from        confirm      refuse
    "waiting": ("confirmed", "refused"),
    "confirmed": (None, None),
    "refused": (None, None),
}


@pytest.mark.parametrize("start", DRAWING)
@pytest.mark.parametrize(("column", "verb"), [(0, "confirm"), (1, "refuse")])
def test_life_of_a_claim(claim, officer, start, column, verb):
    PersonClaim.objects.filter(pk=claim.pk).update(status=start)
    target = DRAWING[start][column]

    if target is None:
        with pytest.raises(WrongStatus):
            getattr(person_claims, verb)(claim, by=officer, at=NOON)
    else:
        assert getattr(person_claims, verb)(claim, by=officer, at=NOON).status == target


def test_confirming_links_and_tells(claim, officer):
    person_claims.confirm(claim, by=officer, at=NOON)

    assert linked(claim.user) == claim.person
    assert [notice.code for notice in claim.person.notices.all()] == ["person_confirmed"]


@pytest.mark.parametrize(("hours", "allowed"), [(-1, True), (0, False), (1, False)])
def test_institution_confirms_only_if_it_knew_the_person_before(
    claim, institution, institution_admin, hours, allowed
):
    Acquaintance.objects.create(
        person=claim.person, organisation=institution, since=NOON + timedelta(hours=hours)
    )

    if allowed:
        person_claims.confirm(claim, by=institution_admin, at=NOON)
        assert linked(claim.user) == claim.person
    else:
        with pytest.raises(NotYours):
            person_claims.confirm(claim, by=institution_admin, at=NOON)
        assert linked(claim.user) is None


def test_second_claim_to_the_same_person_is_refused(claim, officer):
    rival = PersonClaim.objects.create(
        user=account("13812340003"), person=claim.person, name="测试一", created_at=NOON
    )
    person_claims.confirm(claim, by=officer, at=NOON)

    with pytest.raises(person_claims.AlreadyLinked):
        person_claims.confirm(rival, by=officer, at=NOON)
    assert PersonClaim.objects.get(pk=rival.pk).status == "waiting"


def test_refused_claimant_may_register_again(claim, officer):
    person_claims.refuse(claim, by=officer, at=NOON)

    person_claims.register_self(said(), by=claim.user, at=NOON)

    assert linked(claim.user)
