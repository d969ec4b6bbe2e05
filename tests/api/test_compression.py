"""Answers from 512 bytes are compressed, and the weak tag that this makes still works."""

import gzip
from collections.abc import Callable

import pytest

from people.models import Region
from tests import factories
from tests.api.doors import DOOR
from tests.contract import ContractClient

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.api.doors")]
PATH = f"{DOOR}/{factories.COUNTY}"


@pytest.fixture
def someone(as_: Callable[..., ContractClient]) -> ContractClient:
    factories.region()
    return as_(factories.user())


def test_a_long_answer_is_compressed(someone: ContractClient) -> None:
    for number in range(1, 20):
        Region.objects.create(
            code=f"{number:012}", name="a plot", level="village", valid_from="2000-01-01"
        )

    response = someone.get(DOOR, HTTP_ACCEPT_ENCODING="gzip")

    assert response["Content-Encoding"] == "gzip"
    assert response["ETag"].startswith("W/")
    assert "Accept-Encoding" in response["Vary"]
    assert gzip.decompress(response.content) == someone.get(DOOR).content


def test_a_short_answer_is_not(someone: ContractClient) -> None:
    response = someone.get(PATH, HTTP_ACCEPT_ENCODING="gzip")

    assert "Content-Encoding" not in response


def test_the_weak_tag_of_a_compressed_answer_may_come_back(
    someone: ContractClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    Region.objects.filter(code=factories.COUNTY).update(name="平" * 80)
    response = someone.get(f"{PATH}?expand=parent", HTTP_ACCEPT_ENCODING="gzip")
    tag = response["ETag"]

    unchanged = someone.get(
        f"{PATH}?expand=parent", HTTP_IF_NONE_MATCH=tag, HTTP_ACCEPT_ENCODING="gzip"
    )
    changed = someone.patch(PATH, {"name": "renamed"}, HTTP_IF_MATCH=tag)

    assert tag.startswith("W/")
    assert unchanged.status_code == 304
    assert changed.status_code == 200
