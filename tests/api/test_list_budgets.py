"""Every list costs the same for few rows and for many, and never more than eight statements."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction

from api.urls import urlpatterns
from people.crypto import phone_index
from people.models import User
from tests.statements import statements
from training.models import Enrolment, Exam, FollowUpTask, OutcomeObservation, TrainingClass

BUDGET = 8
pytestmark = pytest.mark.django_db


def lists() -> Iterator[tuple[str, list[str]]]:
    """Name every list of the API with the parents in its path."""
    for route in urlpatterns:
        if getattr(route.callback, "actions", {}).get("get") == "list":
            names = sorted(route.pattern.converters)
            yield str(route.pattern), names


LISTS = sorted(lists())


@pytest.fixture(scope="module")
def city(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The demonstration city: hundreds of rows in nearly every list, taken away afterwards."""

    with django_db_blocker.unblock():
        whole = transaction.atomic()
        whole.__enter__()
        call_command("load_demo", verbosity=0)
        yield
        transaction.set_rollback(True)
        whole.__exit__(None, None, None)


def parent(name: str) -> Any:
    """Find a parent with many children."""
    closed = TrainingClass.objects.filter(status="closed", institution__name__contains="甲区")
    observed = OutcomeObservation.objects.filter(task__enrolment__training_class__in=closed)
    parents = {
        "class_id": closed.order_by("id"),
        "exam_id": Exam.objects.filter(training_class__in=closed, attempt=1).order_by("id"),
        "task_id": FollowUpTask.objects.filter(observations__in=observed).order_by("id"),
        "pk": Enrolment.objects.filter(training_class__in=closed).order_by("id"),
        "person_id": Enrolment.objects.filter(training_class__in=closed).order_by("id"),
    }
    row = parents[name].first()
    return row.person_id if name == "person_id" else row.pk


@pytest.mark.parametrize("phone", ["13900000053", "13900000011", "13900000001", "13900000061"])
@pytest.mark.parametrize(("route", "names"), LISTS, ids=[route for route, _ in LISTS])
def test_list_stays_within_its_budget(city, as_, phone, route, names):

    path = "/" + route
    for name in names:
        path = path.replace(f"<uuid:{name}>", str(parent(name)))
    client = as_(User.objects.get(phone_index=phone_index(phone)))
    assert client.get(f"{path}?limit=1").status_code in {200, 403, 404}

    with statements() as few:
        client.get(f"{path}?limit=1")
    with statements() as many:
        response = client.get(f"{path}?limit=100")

    assert len(many) == len(few) <= BUDGET, (len(response.json().get("results", [])), many)
