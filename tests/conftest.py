"""What every test may ask for: people with roles, a client that checks each answer."""

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from people import accounts
from people.models import User
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
        opened = accounts._open(
            user, accounts.Device(device, "test", "test"), at=timezone.now()
        )
        return ContractClient(token=opened.access)

    return client


@pytest.fixture
def key() -> Callable[[], str]:
    """Make a fresh idempotency key."""
    return lambda: str(uuid.uuid4())


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Race tests need real transactions and run last, as pytest-django orders them."""
