"""Every route × method again: who may knock is a table, and what is missing is closed."""

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.urls import URLPattern, get_resolver

from api.access import ANYONE, SIGNED_IN
from api.resource import Resource
from people.roles import Role
from tests import factories
from tests.contract import ContractClient

SAMPLES = {
    "uuid": "0198c0de-0000-7000-8000-000000000000",
    "int": "1",
    "str": "430202000000",
    "slug": "sample",
}


def patterns(resolver: Any) -> Iterator[URLPattern]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            yield pattern
        else:
            yield from patterns(pattern)


def doors() -> list[tuple[str, str, str, type[Resource]]]:
    """List path, method, action and view of every door."""
    return sorted(
        (
            ("/" + str(pattern.pattern), method.upper(), action, pattern.callback.cls)
            for pattern in patterns(get_resolver())
            for method, action in getattr(pattern.callback, "actions", {}).items()
            if method != "head"
        ),
        key=lambda door: door[:3],
    )


DOORS = doors()


def named(door: tuple[str, str, str, type[Resource]]) -> str:
    return f"{door[1]} {door[0]}"


def may(view: type[Resource], action: str) -> str:
    roles = view.may[action]
    if roles is ANYONE:
        return "anyone"
    if roles is SIGNED_IN:
        return "signed in"
    return ", ".join(sorted(roles))


def test_the_table() -> None:
    """``pytest -s`` shows it."""
    lines = [f"{method:6} {path:70} {may(view, action)}" for path, method, action, view in DOORS]
    print("", *lines, sep="\n")  # noqa: T201

    assert len(lines) == len(set(lines))


@pytest.mark.parametrize("door", DOORS, ids=named)
def test_every_door_says_who_may_knock(door: tuple[str, str, str, type[Resource]]) -> None:
    _path, _method, action, view = door

    assert issubclass(view, Resource)
    assert action in view.may, f"{view.__name__}.may has no row for {action}"
    assert view.may[action] is ANYONE or set(view.may[action]) <= set(Role)
    assert view.may[action], f"{view.__name__}.{action} is for nobody"


@pytest.mark.parametrize("view", sorted({door[3] for door in DOORS}, key=str))
def test_every_row_in_a_table_is_an_action(view: type[Resource]) -> None:
    for table in (view.may, view.refuses, view.parameters):
        assert all(hasattr(view, action) for action in table), table


@pytest.mark.django_db
@pytest.mark.urls("tests.api.doors")
def test_what_the_table_leaves_out_is_closed(as_: Callable[..., ContractClient]) -> None:
    plot = factories.region()
    everything = [(role, factories.bureau(plot)) for role in Role if role != Role.TRAINEE]

    response = as_(factories.user(roles=everything)).post(f"/api/v1/plots/{plot.pk}/hidden")

    assert response.status_code == 403


# What has neither a list nor a key in its path is about the caller alone.
ROWS = {door[3] for door in DOORS if door[2] == "list" or "<" in door[0]}


@pytest.mark.parametrize("view", sorted(ROWS, key=str))
def test_every_model_behind_a_door_knows_who_sees_what(view: type[Resource]) -> None:
    if view.queryset is None:
        assert view.serializer_class is None, "rows without a queryset have no sight"
        return

    assert hasattr(view.queryset, "visible_to")
    for neighbour in getattr(view.serializer_class, "expandable", {}).values():
        assert hasattr(neighbour.Meta.model._default_manager, "visible_to"), neighbour


@pytest.mark.parametrize("door", DOORS, ids=named)
def test_every_list_has_a_total_order_in_one_direction(
    door: tuple[str, str, str, type[Resource]],
) -> None:
    _path, _method, action, view = door
    if action != "list" or view.queryset is None or view.paginator is None:
        return

    last = view.ordering[-1].lstrip("-")
    assert len({name.startswith("-") for name in view.ordering}) == 1
    assert last in {"id", "pk", view.queryset.model._meta.pk.name}


CHANGES = [door for door in DOORS if door[3]().needs_version(door[1])]


@pytest.mark.parametrize("door", CHANGES, ids=named)
def test_a_change_that_needs_a_version_looks_at_it(
    door: tuple[str, str, str, type[Resource]],
) -> None:
    source = inspect.getsource(door[3])

    assert "check_version(" in source, f"{door[3].__name__} never calls check_version"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "door", [door for door in DOORS if door[3].may.get(door[2]) is not ANYONE], ids=named
)
def test_nobody_comes_in_without_signing_in(door: tuple[str, str, str, type[Resource]]) -> None:
    path, method, _action, _view = door
    concrete = re.sub(r"<(?:(\w+):)?\w+>", lambda found: SAMPLES[found[1] or "str"], path)

    response = ContractClient().generic(method, concrete, "{}", content_type="application/json")

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"


STAFF = [role for role in Role if role != Role.TRAINEE]
WIDE = [door for door in DOORS if door[2] == "list" and not door[0].count("<")]
WIDE = [door for door in WIDE if getattr(door[3].serializer_class, "expandable", {})]


@pytest.mark.django_db
@pytest.mark.parametrize("door", WIDE, ids=named)
def test_a_neighbour_is_named_once(
    as_: Callable[..., ContractClient], door: tuple[str, str, str, type[Resource]]
) -> None:
    everything = [(role, factories.bureau(factories.region())) for role in STAFF]
    client = as_(factories.user(person=factories.person(), roles=everything))

    for name in door[3].serializer_class.expandable:  # type: ignore[union-attr]
        once = client.get(f"{door[0]}?expand={name}")
        twice = client.get(f"{door[0]}?expand={name},{name}")

        assert once.status_code == 200, once.content
        assert twice.status_code == 400
        assert twice.json()["errors"][0]["code"] == "repeated"
