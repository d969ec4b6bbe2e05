"""ETag, If-None-Match and If-Match: nothing fetched for nothing, nothing overwritten unseen."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

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


def test_the_tag_is_the_version(someone: ContractClient) -> None:
    response = someone.get(PATH)

    assert response["ETag"] == f'"{response.json()["version"]}"'


def test_the_version_changes_with_the_row_and_back(someone: ContractClient) -> None:
    before = someone.get(PATH).json()["version"]
    Region.objects.filter(code=factories.COUNTY).update(name="renamed")
    changed = someone.get(PATH).json()

    Region.objects.filter(code=factories.COUNTY).update(name=f"测试区划{factories.COUNTY[:6]}")

    assert changed["version"] != before
    assert someone.get(PATH).json()["version"] == before


@pytest.mark.parametrize("form", ["{}", "W/{}", '"x", {}', "*"])
def test_what_the_client_has_is_not_sent_again(someone: ContractClient, form: str) -> None:
    tag = someone.get(PATH)["ETag"]

    response = someone.get(PATH, HTTP_IF_NONE_MATCH=form.format(tag))

    assert response.status_code == 304
    assert response.content == b""


def test_an_unchanged_list_is_not_sent_again(someone: ContractClient) -> None:
    tag = someone.get(DOOR)["ETag"]

    assert someone.get(DOOR, HTTP_IF_NONE_MATCH=tag).status_code == 304


def test_an_unchanged_page_is_the_same_later(
    someone: ContractClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = someone.get(f"{DOOR}?limit=1")
    monkeypatch.setattr("django.core.signing.time.time", lambda: 2_000_000_000)

    later = someone.get(f"{DOOR}?limit=1", HTTP_IF_NONE_MATCH=first["ETag"])

    assert first.json()["next"]
    assert later.status_code == 304


def test_expanding_changes_the_tag_but_not_what_may_be_changed(someone: ContractClient) -> None:
    plain = someone.get(PATH)
    wide = someone.get(f"{PATH}?expand=parent")

    response = someone.patch(PATH, {"name": "renamed"}, HTTP_IF_MATCH=wide["ETag"])

    assert wide["ETag"] != plain["ETag"]
    assert wide.json()["parent"]["code"] == wide.json()["parent_id"]
    assert response.status_code == 200


def test_trimming_keeps_the_version(someone: ContractClient) -> None:
    plain = someone.get(PATH)

    response = someone.get(f"{PATH}?fields=name")

    assert set(response.json()) == {"name", "version"}
    assert response["ETag"] == plain["ETag"]


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}'])
def test_a_change_says_which_version_it_changes(someone: ContractClient, form: str) -> None:
    tag = someone.get(PATH)["ETag"]

    response = someone.patch(PATH, {"name": "renamed"}, HTTP_IF_MATCH=form.format(tag))

    assert response.status_code == 200
    assert response["ETag"] != tag
    assert response.json()["name"] == "renamed"


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_a_change_without_a_version_is_refused(someone: ContractClient, method: str) -> None:
    response = getattr(someone, method)(PATH, {"name": "renamed"})

    assert response.status_code == 428
    assert response.json()["code"] == "if_match_required"


@pytest.mark.parametrize("given", ['"stale"', "*", ""])
def test_a_stale_change_is_refused_and_told_the_version(
    someone: ContractClient, given: str
) -> None:
    version = someone.get(PATH).json()["version"]

    response = someone.patch(PATH, {"name": "renamed"}, HTTP_IF_MATCH=given)

    assert response.status_code == 412
    assert response.json()["facts"] == {"current_version": version}
    assert Region.objects.get(code=factories.COUNTY).name != "renamed"


def test_a_mini_program_changes_by_post(someone: ContractClient) -> None:
    tag = someone.get(PATH)["ETag"]

    response = someone.post(
        PATH, {"name": "renamed"}, HTTP_X_HTTP_METHOD_OVERRIDE="PATCH", HTTP_IF_MATCH=tag
    )
    without = someone.post(PATH, {"name": "x"}, HTTP_X_HTTP_METHOD_OVERRIDE="PATCH")

    assert response.json()["name"] == "renamed"
    assert without.status_code == 428


@pytest.mark.django_db(transaction=True)
def test_of_ten_changes_to_one_version_one_counts(as_: Callable[..., ContractClient]) -> None:
    factories.region()
    client = as_(factories.user())
    tag = client.get(PATH)["ETag"]

    def rename(number: int) -> int:
        twin = ContractClient()
        twin.credentials(**client._credentials)
        try:
            response = twin.patch(PATH, {"name": f"name {number}"}, HTTP_IF_MATCH=tag)
        finally:
            connections.close_all()
        return int(response.status_code)

    with ThreadPoolExecutor(10) as pool:
        statuses = sorted(pool.map(rename, range(10)))

    assert statuses == [200] + [412] * 9
