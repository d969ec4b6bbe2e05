"""What is refused or breaks is told once in the log, under the name that the caller got."""

import io
import logging
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from people.models import Region
from people.tracing import RequestIdFilter
from tests import factories
from tests.api.doors import DOOR, Plots
from tests.contract import ContractClient

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.api.doors")]
NAME = "0198c0de-0000-7000-8000-00000000abcd"


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[io.StringIO]:
    """Everything that the handlers of a laptop write."""
    written, settings.DEBUG = io.StringIO(), True
    logger: logging.Logger | None = logging.getLogger("django.request")
    while logger:
        for handler in logger.handlers:
            if type(handler) is logging.StreamHandler:
                monkeypatch.setattr(handler, "stream", written)
        logger = logger.parent
    return written


@pytest.fixture
def someone(as_: Callable[..., ContractClient]) -> ContractClient:
    factories.region()
    return as_(factories.user())


def lines(log: io.StringIO) -> list[str]:
    return [line for line in log.getvalue().splitlines() if DOOR in line]


def test_a_refusal_is_told_once_with_its_name_and_is_no_warning(
    someone: ContractClient, log: io.StringIO
) -> None:
    Region.objects.filter(code=factories.COUNTY).update(name="barren")

    someone.post(f"{DOOR}/{factories.COUNTY}/touch", HTTP_X_REQUEST_ID=NAME)

    assert len(lines(log)) == 1
    assert f" INFO {NAME} django.request Conflict" in lines(log)[0]


def test_a_fault_is_told_once_with_its_name_and_its_cause(
    someone: ContractClient, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Plots, "fault", RuntimeError("the cause"))

    someone.post(f"{DOOR}/{factories.COUNTY}/break", HTTP_X_REQUEST_ID=NAME)

    assert len(lines(log)) == 1
    assert f" ERROR {NAME} api.problems " in lines(log)[0]
    assert "RuntimeError: the cause" in log.getvalue()


def test_a_path_to_nothing_is_told_once(someone: ContractClient, log: io.StringIO) -> None:
    someone.get(f"{DOOR}/x/y/z", HTTP_X_REQUEST_ID=NAME)

    assert len(lines(log)) == 1
    assert f" INFO {NAME} " in lines(log)[0]


def test_a_log_that_keeps_warnings_only_keeps_no_refusals(
    someone: ContractClient, log: io.StringIO, request: pytest.FixtureRequest
) -> None:
    root = logging.getLogger()
    request.addfinalizer(partial(root.setLevel, root.level))
    root.setLevel(logging.WARNING)

    someone.get(f"{DOOR}/nothing")

    assert lines(log) == []


def test_what_belongs_to_no_request_has_no_name() -> None:
    record = logging.LogRecord("x", logging.INFO, "x.py", 1, "x", None, None)

    RequestIdFilter().filter(record)

    assert record.request_id == "-"  # type: ignore[attr-defined]


def test_the_worker_does_not_greet() -> None:
    logger = logging.getLogger("django_tasks_db")

    ours = [handler for handler in logger.handlers if type(handler) is logging.StreamHandler]
    assert [handler.level for handler in ours] == [logging.WARNING]
    assert logger.propagate is False
