"""Pages: nothing twice, nothing missed, whatever comes and goes meanwhile."""

from collections.abc import Callable
from datetime import date

import pytest

from people.models import Region, User
from tests import factories
from tests.api.doors import DOOR
from tests.contract import ContractClient

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.api.doors")]


@pytest.fixture
def someone(as_: Callable[..., ContractClient]) -> ContractClient:
    return as_(factories.user())


def plot(number: int, name: str = "") -> Region:
    return Region.objects.create(
        code=f"{number:012}",
        name=name or f"{number:04}",
        level="village",
        valid_from=date(2000, 1, 1),
    )


def codes(page: dict[str, list[dict[str, str]]]) -> list[int]:
    return [int(row["code"]) for row in page["results"]]


def walk(client: ContractClient, path: str, towards: str = "next") -> list[int]:
    found = []
    while path:
        page = client.get(path).json()
        found += codes(page)
        path = page[towards]
    return found


@pytest.fixture(autouse=True)
def _empty(db: None) -> None:
    User.objects.all().delete()
    Region.objects.update(parent=None)
    Region.objects.all().delete()


def test_every_row_comes_once(someone: ContractClient) -> None:
    for number in range(1, 26):
        plot(number)

    found = walk(someone, f"{DOOR}?limit=4")

    assert found == list(range(1, 26))


def test_rows_with_the_same_sort_value_come_once(someone: ContractClient) -> None:
    for number in range(1, 12):
        plot(number, name="alike")

    found = walk(someone, f"{DOOR}?limit=3")

    assert found == list(range(1, 12))


def test_rows_that_come_and_go_neither_double_nor_skip_the_others(someone: ContractClient) -> None:
    for number in range(10, 30):
        plot(number)
    first = someone.get(f"{DOOR}?limit=5").json()

    Region.objects.filter(code__in=[f"{11:012}", f"{14:012}"]).delete()  # the last row shown too
    plot(1)
    plot(99)
    rest = walk(someone, first["next"])

    assert codes(first) == [10, 11, 12, 13, 14]
    assert rest == [*range(15, 30), 99]


def test_one_can_go_back(someone: ContractClient) -> None:
    for number in range(1, 11):
        plot(number)
    first = someone.get(f"{DOOR}?limit=4").json()
    second = someone.get(first["next"]).json()

    back = someone.get(second["previous"]).json()

    assert codes(second) == [5, 6, 7, 8]
    assert codes(back) == [1, 2, 3, 4]
    assert first["previous"] is None
    assert back["previous"] is None
    assert walk(someone, back["next"]) == list(range(5, 11))


def test_the_count_is_told_only_when_asked_for(someone: ContractClient) -> None:
    for number in range(1, 4):
        plot(number)

    asked = someone.get(f"{DOOR}?count=true&limit=1").json()
    not_asked = someone.get(f"{DOOR}?limit=1").json()

    assert asked["count"] == 3
    assert "count" not in not_asked


@pytest.mark.parametrize(
    "limit", ["0", "101", "-1", "1e3", "１０", "10.0", " 5", "0001000", "9" * 5000, "x"]
)
def test_a_limit_outside_its_bounds_is_refused(someone: ContractClient, limit: str) -> None:
    response = someone.get(DOOR, {"limit": limit})

    assert response.status_code == 400
    assert response.json()["errors"][0]["parameter"] == "limit"


@pytest.mark.parametrize("limit", ["1", "100"])
def test_a_limit_at_its_bounds_is_taken(someone: ContractClient, limit: str) -> None:
    assert someone.get(DOOR, {"limit": limit}).status_code == 200


def test_a_cursor_dies_with_its_filters(someone: ContractClient) -> None:
    for number in range(1, 4):
        plot(number)
    following = someone.get(f"{DOOR}?limit=1&level=village").json()["next"]

    response = someone.get(following.replace("level=village", "level=county"))

    assert response.status_code == 410
    assert response.json()["code"] == "cursor_expired"


@pytest.mark.parametrize("cursor", ["x", "a:b:c", "%00", "é", "A" * 3000])
def test_a_cursor_that_was_not_ours_is_dead(someone: ContractClient, cursor: str) -> None:
    response = someone.get(DOOR, {"cursor": cursor})

    assert response.status_code == 410


def test_a_cursor_of_another_list_is_dead(someone: ContractClient) -> None:
    for number in range(1, 4):
        plot(number)
    cursor = someone.get(f"{DOOR}?limit=1").json()["next"].split("cursor=")[1]

    response = someone.get(f"/api/v1/regions?limit=1&cursor={cursor}")

    assert response.status_code == 410


def test_a_page_costs_the_same_however_many_rows_there_are(
    someone: ContractClient, django_assert_num_queries: Callable[..., object]
) -> None:
    for number in range(1, 200):
        plot(number)

    with django_assert_num_queries(2):  # the token, the page
        someone.get(f"{DOOR}?limit=100")
