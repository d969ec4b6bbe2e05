"""The calendar that phones subscribe to."""

from urllib.parse import urlsplit

import pytest
from django.core import signing

from tests import factories
from tests.factories import day, moment

pytestmark = pytest.mark.django_db


def subscribe(as_, user):
    response = as_(user).post("/api/v1/calendar-links", {})
    assert response.status_code == 200
    parts = urlsplit(response.json()["url"])
    return f"{parts.path}?{parts.query}"


def unfolded(content):
    return content.decode().replace("\r\n ", "").split("\r\n")


def test_the_address_stays_the_same_for_one_person(as_, trainee, trainer_user):
    assert subscribe(as_, trainee) == subscribe(as_, trainee)
    assert subscribe(as_, trainee) != subscribe(as_, trainer_user)


def test_the_public_has_no_calendar(as_):
    assert as_(None).post("/api/v1/calendar-links", {}).status_code == 401


def test_a_calendar_holds_what_its_owner_attends(as_, trainee, institution):
    training_class = factories.training_class(
        "approved", institution=institution, name="电工初级；班,一"
    )
    factories.enrolment(training_class, trainee.person)
    venue = factories.venue(institution, name="实训楼" * 12, address="样例路1号")
    session = factories.session(training_class, moment(day(8)), venue=venue, topic="安全;用电")
    factories.session(training_class, moment(day(9)), status="cancelled")
    factories.session(factories.training_class("approved"))

    response = as_(None).get(subscribe(as_, trainee), HTTP_ACCEPT="text/calendar")

    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/calendar")
    lines = unfolded(response.content)
    assert lines[:2] == ["BEGIN:VCALENDAR", "VERSION:2.0"]
    assert lines[-2:] == ["END:VCALENDAR", ""]
    assert lines.count("BEGIN:VEVENT") == 2
    assert f"UID:{session.pk}@qihang" in lines
    # 08:30 in Shanghai is half past midnight in UTC.
    assert f"DTSTART:{day(8):%Y%m%d}T003000Z" in lines
    assert f"DTEND:{day(8):%Y%m%d}T033000Z" in lines
    assert "SUMMARY:电工初级；班\\,一 · 安全\\;用电" in lines
    assert "STATUS:CANCELLED" in lines


def test_lines_have_75_octets_at_most_and_break_no_character(as_, trainee, institution):
    training_class = factories.training_class("approved", institution=institution, name="长" * 120)
    factories.enrolment(training_class, trainee.person)
    factories.session(training_class)

    content = as_(None).get(subscribe(as_, trainee)).content

    lines = content.split(b"\r\n")
    assert max(len(line) for line in lines) <= 75
    assert all(line.decode() is not None for line in lines)
    assert "SUMMARY:" + "长" * 120 in unfolded(content)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "?token=x",
        f"?token={signing.Signer(salt='calendar').sign('not-a-uuid')}",
        f"?token={signing.Signer(salt='calendar').sign('00000000-0000-7000-8000-000000000000')}",
        f"?token={signing.Signer(salt='cursor').sign('00000000-0000-7000-8000-000000000000')}",
    ],
)
def test_a_bad_token_finds_nothing(token, as_):
    response = as_(None).get(f"/api/v1/calendar.ics{token}", HTTP_ACCEPT="text/calendar")

    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"


def test_a_closed_account_has_no_calendar(as_, trainee):
    address = subscribe(as_, trainee)
    trainee.is_active = False
    trainee.save()

    assert as_(None).get(address).status_code == 404


@pytest.mark.parametrize("rows", [3, 60])
def test_a_calendar_costs_the_same_for_3_and_60_sessions(
    rows, as_, trainee, institution, django_assert_num_queries
):
    training_class = factories.training_class("approved", institution=institution, ends_on=day(100))
    factories.enrolment(training_class, trainee.person)
    for number in range(rows):
        factories.session(training_class, moment(day(7 + number)))
    address = subscribe(as_, trainee)

    with django_assert_num_queries(2):
        as_(None).get(address)
