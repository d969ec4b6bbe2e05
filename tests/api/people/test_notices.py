"""One's own notices, in one's own language."""

import pytest
from django.utils import timezone

from people import notices
from people.models import Notice
from tests import factories

NOTICES = "/api/v1/notices"


@pytest.fixture
def notice(trainee):
    school_class = factories.training_class("cancelled", name="测试电工班")
    notices.tell(
        [trainee.person_id], "class_cancelled", school_class, at=timezone.now(), name="测试电工班"
    )
    return Notice.objects.get()


def test_notice_is_a_code_its_facts_and_a_sentence(as_, trainee, notice):
    response = as_(trainee).get(NOTICES, HTTP_ACCEPT_LANGUAGE="en")

    row = response.json()["results"][0]
    assert row["code"] == "class_cancelled"
    assert row["facts"] == {"name": "测试电工班"}
    assert row["sentence"] == "The class 测试电工班 was cancelled."


def test_reading_counts_once(as_, trainee, notice):
    client = as_(trainee)

    first = client.post(f"{NOTICES}/{notice.pk}/read")
    again = client.post(f"{NOTICES}/{notice.pk}/read")

    assert first.status_code == again.status_code == 200
    assert first.json()["read_at"] == again.json()["read_at"] is not None


def test_unread_filter(as_, trainee, notice):
    client = as_(trainee)

    def found(unread):
        return len(client.get(NOTICES, {"unread": unread}).json()["results"])

    assert (found("true"), found("false")) == (1, 0)
    client.post(f"{NOTICES}/{notice.pk}/read")
    assert (found("true"), found("false")) == (0, 1)
    assert client.get(NOTICES, {"unread": "maybe"}).status_code == 400


def test_notices_of_others_do_not_exist(as_, officer, institution_admin, notice):
    absent = "01890000-0000-7000-8000-000000000000"
    client = as_(officer)

    theirs, nothing = (
        client.post(f"{NOTICES}/{key}/read", HTTP_X_REQUEST_ID="r" * 8)
        for key in (notice.pk, absent)
    )

    assert client.get(NOTICES).json()["results"] == []
    assert (theirs.status_code, theirs.content) == (404, nothing.content)
    assert Notice.objects.get().read_at is None


def test_list_takes_two_statements(as_, trainee, django_assert_num_queries):
    for _time in range(20):
        Notice.objects.create(person=trainee.person, code="class_closed", created_at=timezone.now())
    client = as_(trainee)

    with django_assert_num_queries(2):
        client.get(NOTICES, {"limit": 100})
