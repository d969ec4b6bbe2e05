"""What every test may ask for: people with roles, a client that checks each answer."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from people import accounts
from people.models import Organisation, User
from people.roles import Role
from tests import factories
from tests.contract import ContractClient


@pytest.fixture(autouse=True)
def _fresh_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def as_(db: None) -> Callable[[User | None], ContractClient]:
    """Sign someone in on a phone of their own; ``None`` is the public."""

    def client(user: User | None, device: str = "phone-1") -> ContractClient:
        if user is None:
            return ContractClient()
        opened = accounts._open(user, accounts.Device(device, "test", "test"), at=timezone.now())
        return ContractClient(token=opened.access)

    return client


@pytest.fixture
def institution(db: None) -> Organisation:
    """A training institution in the county."""
    return factories.institution()


@pytest.fixture
def institution_admin(institution: Organisation) -> User:
    return factories.user(roles=[(Role.INSTITUTION_ADMIN, institution)])


@pytest.fixture
def trainer_user(institution: Organisation) -> User:
    """An account that teaches at the institution, with its trainer row."""
    made = factories.user(roles=[(Role.TRAINER, institution)])
    factories.trainer(institution, made)
    return made


@pytest.fixture
def officer(institution: Organisation) -> User:
    """An officer of the institution's county."""
    return factories.user(roles=[(Role.OFFICER, factories.bureau(institution.region))])


@pytest.fixture
def officer_elsewhere(db: None) -> User:
    """An officer of the neighbouring county."""
    elsewhere = factories.region(factories.COUNTY_ELSEWHERE)
    return factories.user(roles=[(Role.OFFICER, factories.bureau(elsewhere))])


@pytest.fixture
def trainee(db: None) -> User:
    """Somebody on the register with an account and no role."""
    return factories.user(person=factories.person(name="测试一"))


@pytest.fixture
def stranger_admin(db: None) -> User:
    """An administrator of another institution in the same county."""
    return factories.user(roles=[(Role.INSTITUTION_ADMIN, factories.institution())])


@pytest.fixture
def auditor(institution: Organisation) -> User:
    """An auditor of the city that the institution's county belongs to."""
    city = factories.region(factories.CITY)
    return factories.user(roles=[(Role.AUDITOR, factories.bureau(city))])


@pytest.fixture
def key() -> Callable[[], str]:
    """Make a fresh idempotency key."""
    return lambda: str(uuid.uuid4())


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    """A disk of the test's own, and a worker that works while one waits."""
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path), "base_url": None},
        }
    }
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}
    return tmp_path
