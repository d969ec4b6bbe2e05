"""Certificates: gapless serials whoever races, unguessable codes, an answer for ever."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from people.days import local_day
from people.models import JournalEntry, Notice
from people.refusals import WrongStatus
from tests import factories
from training import certificates
from training.models import Certificate, Enrolment

RELATED = ("person", "training_class__programme__occupation", "training_class__institution")
# 2026-12-31 in Greenwich, 2027 in Shanghai already.
NEW_YEAR = datetime(2026, 12, 31, 17, tzinfo=UTC)

MOVES = """
            revoke   supersede
valid       revoked  superseded
revoked     -        -
superseded  -        -
"""


def completed(count: int, training_class=None) -> list[Enrolment]:
    training_class = training_class or factories.training_class("closed")
    exam = training_class.exams.first() or factories.exam(training_class)
    made = [factories.enrolment(training_class, status="completed") for _ in range(count)]
    for enrolment in made:
        factories.result(exam, enrolment)
    found = Enrolment.objects.select_related(*RELATED).filter(pk__in=[e.pk for e in made])
    return list(found.order_by("id"))


def numbers() -> list[int]:
    return sorted(int(c.serial.rpartition("-")[2]) for c in Certificate.objects.all())


@pytest.fixture
def certificate(officer):
    [made] = certificates.issue(completed(1), by=officer, at=timezone.now())
    return made


def test_the_serial_tells_region_and_year_of_the_local_day(officer):
    [first, second] = certificates.issue(completed(2), by=officer, at=NEW_YEAR)

    assert [first.serial, second.serial] == ["PX-430202-2027-000001", "PX-430202-2027-000002"]


def test_regions_and_years_count_by_themselves(officer):
    elsewhere = factories.training_class(
        "closed", region=factories.region(factories.COUNTY_ELSEWHERE)
    )

    certificates.issue(completed(1), by=officer, at=NEW_YEAR)
    certificates.issue(completed(1, elsewhere), by=officer, at=NEW_YEAR)
    certificates.issue(completed(1), by=officer, at=NEW_YEAR - timedelta(hours=2))

    assert set(Certificate.objects.values_list("serial", flat=True)) == {
        "PX-430202-2027-000001",
        "PX-430203-2027-000001",
        "PX-430202-2026-000001",
    }


def test_it_states_the_sessions_that_took_place(officer):
    training_class = factories.training_class("closed")
    first = training_class.starts_on + timedelta(days=1)
    for days, status, hours in [
        (-1, "cancelled", 8),
        (0, "finished", 3),
        (4, "finished", 3),
        (4, "scheduled", 1),
        (9, "cancelled", 8),
    ]:
        starts_at = factories.moment(first + timedelta(days=days), "23:00")
        ends_at = starts_at + timedelta(hours=hours)
        factories.session(training_class, starts_at, ends_at=ends_at, status=status)

    [made] = certificates.issue(completed(1, training_class), by=officer, at=NEW_YEAR)

    # 420 minutes are nine class hours of 45 and a third of one.
    assert made.hours == 9 != training_class.programme.hours
    assert (made.started_on, made.ended_on) == (first, first + timedelta(days=4))


def test_codes_are_base32_and_tell_nothing_of_each_other(officer):
    issued = certificates.issue(completed(50), by=officer, at=NEW_YEAR)

    codes = {c.code for c in issued}
    assert len(codes) == 50
    assert all(re.fullmatch(r"[A-Z2-7]{16}", code) for code in codes)


@pytest.mark.django_db
@pytest.mark.parametrize("status", ["admitted", "failed", "no_show", "dropped", "withdrawn"])
def test_only_the_completed_are_certified(officer, status):
    enrolment = factories.enrolment(factories.training_class("in_progress"), status=status)

    with pytest.raises(certificates.NotCompleted):
        certificates.issue([enrolment], by=officer, at=NEW_YEAR)


def test_a_second_valid_certificate_is_impossible(certificate, officer):
    enrolments = Enrolment.objects.select_related(*RELATED).filter(pk=certificate.enrolment_id)

    with pytest.raises(Exception, match=r"(?i)unique"), transaction.atomic():
        certificates.issue(list(enrolments), by=officer, at=timezone.now())


def test_it_says_what_was_true_when_it_was_issued(certificate):
    programme = certificate.enrolment.training_class.programme
    name = programme.name
    programme.name = "改名后的课程"
    programme.save()

    found = certificates.find_public(certificate.code, on=factories.day(9000))

    assert (found.programme_name, found.status) == (name, "valid")


def test_it_expires_after_its_last_day(officer):
    last = factories.day(10)
    [certificate] = certificates.issue(completed(1), by=officer, at=timezone.now(), expires_on=last)

    standing = [certificate.status_on(last + timedelta(days=d)) for d in (0, 1)]

    assert standing == ["valid", "expired"]
    for day, valid, expired in [(last, 1, 0), (last + timedelta(days=1), 0, 1)]:
        assert Certificate.objects.standing("valid", day).count() == valid
        assert Certificate.objects.standing("expired", day).count() == expired


def test_a_revoked_one_says_so_for_ever_and_the_holder_is_told(certificate, officer):
    certificates.revoke(certificate, reason="重复发证", by=officer, at=timezone.now())

    found = certificates.find_public(certificate.code, on=factories.day(9000))
    assert found.status == "revoked"
    assert Notice.objects.filter(code="certificate_revoked").count() == 1
    assert JournalEntry.objects.filter(verb="certificate.revoke").count() == 1


def test_a_replacement_bears_the_new_name_and_the_old_one_says_superseded(certificate, officer):
    person = certificate.enrolment.person
    person.name = "李样例"
    person.save()

    replacement = certificates.replace(certificate, reason="更名", by=officer, at=timezone.now())

    assert replacement.person_name == "李样例"
    assert replacement.code != certificate.code
    old = certificates.find_public(certificate.code, on=local_day(timezone.now()))
    assert (old.status, old.person_name) == ("superseded", "张**")


@pytest.mark.parametrize("line", MOVES.strip().split("\n")[1:])
def test_life_cycle(certificate, line):
    source, *targets = line.split()
    for verb, target in zip(["revoke", "supersede"], targets, strict=True):
        Certificate.objects.update(status=source)

        if target == "-":
            with pytest.raises(WrongStatus):
                certificates.LIFECYCLE.move(certificate, verb, by=None, at=NEW_YEAR)
        else:
            moved = certificates.LIFECYCLE.move(certificate, verb, by=None, at=NEW_YEAR)
            assert moved.status == target


def test_typed_from_paper_with_hyphens_and_small_letters(certificate):
    code = certificate.code.lower()
    typed = f"{code[:4]}-{code[4:8]} {code[8:12]}-{code[12:]}"

    assert certificates.find_public(typed, on=factories.day()).serial == certificate.serial
    assert certificates.find_public("A" * 16, on=factories.day()) is None
    assert certificates.find_public("", on=factories.day()) is None


def test_a_rolled_back_issue_gives_its_numbers_back(officer):
    for size in (3, 200, 5):
        with transaction.atomic():
            certificates.issue(completed(size), by=officer, at=NEW_YEAR)
            transaction.set_rollback(True)

        certificates.issue(completed(10), by=officer, at=NEW_YEAR)

    assert numbers() == list(range(1, 31))


def test_as_many_statements_for_thirty_as_for_two(officer, django_assert_max_num_queries):
    for count in (2, 30):
        enrolments = completed(count)

        with django_assert_max_num_queries(12):
            certificates.issue(enrolments, by=officer, at=NEW_YEAR)
