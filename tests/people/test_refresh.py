"""Refreshing: every token once, a lost reply given again, any reuse ends the family."""

from datetime import UTC, datetime, timedelta

import pytest

from people import accounts
from people.models import DeviceSession, JournalEntry, User
from tests import factories

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
HANDSET = accounts.Device("handset-1", "android", "Testphone")


def signed_in(user=None, device=HANDSET, at=NOON):
    return accounts._open(user or factories.user(), device, at=at)


def refreshed(token, seconds):
    return accounts.refresh(token, at=NOON + timedelta(seconds=seconds))


def is_alive(session):
    return DeviceSession.objects.filter(pk=session.pk, revoked_at=None).exists()


def test_refresh_gives_new_tokens_to_the_same_session():
    first = signed_in()

    second = refreshed(first.refresh, 900)

    assert second.session == first.session
    assert len({first.access, first.refresh, second.access, second.refresh}) == 4


def test_predecessor_gets_the_same_successor_within_sixty_seconds():
    first = signed_in()
    second = refreshed(first.refresh, 900)

    again = refreshed(first.refresh, 959)

    assert (again.access, again.refresh) == (second.access, second.refresh)
    assert is_alive(first.session)


def test_predecessor_kills_the_family_after_sixty_seconds():
    first = signed_in()
    second = refreshed(first.refresh, 900)

    with pytest.raises(accounts.TokenDead):
        refreshed(first.refresh, 960)
    with pytest.raises(accounts.TokenDead):
        refreshed(second.refresh, 961)
    assert not is_alive(first.session)


def test_predecessor_kills_the_family_once_its_successor_was_used():
    first = signed_in()
    second = refreshed(first.refresh, 900)
    third = refreshed(second.refresh, 910)

    with pytest.raises(accounts.TokenDead):
        refreshed(first.refresh, 911)
    with pytest.raises(accounts.TokenDead):
        refreshed(third.refresh, 912)


def test_a_token_of_any_old_generation_kills_the_family():
    first = newest = signed_in()
    for generation in range(1, 30):
        newest = refreshed(newest.refresh, generation * 900)

    with pytest.raises(accounts.TokenDead):
        refreshed(first.refresh, 30 * 900)
    assert not is_alive(first.session)
    assert JournalEntry.objects.get(verb="session.close").facts["reason"] == "refresh_token_reused"


@pytest.mark.parametrize("bend", [lambda t: t[:-1] + ("A" if t[-1] != "A" else "B"), lambda _: "x"])
def test_made_up_token_costs_no_statement_and_kills_nobody(bend, django_assert_num_queries):
    session = signed_in()

    with django_assert_num_queries(0), pytest.raises(accounts.TokenDead):
        refreshed(bend(session.refresh), 10)
    assert is_alive(session.session)


def test_refresh_ends_after_thirty_idle_days():
    tokens = signed_in()

    with pytest.raises(accounts.TokenDead):
        refreshed(tokens.refresh, 30 * 24 * 3600)


def test_disabled_account_refreshes_nothing():
    tokens = signed_in()
    second = refreshed(tokens.refresh, 10)
    User.objects.update(is_active=False)

    for token in (tokens.refresh, second.refresh):
        with pytest.raises(accounts.TokenDead):
            refreshed(token, 20)


def test_signed_out_session_refreshes_nothing():
    tokens = signed_in()
    accounts.sign_out(tokens.session, by=tokens.session.user, at=NOON)

    with pytest.raises(accounts.TokenDead):
        refreshed(tokens.refresh, 10)


def test_tokens_are_stored_hashed():
    tokens = signed_in()

    stored = " ".join(map(str, DeviceSession.objects.values_list().get()))

    assert tokens.access not in stored
    assert tokens.refresh not in stored


def test_signing_in_again_replaces_the_session_of_the_same_device_only():
    user = factories.user()
    old = signed_in(user)
    tablet = signed_in(user, accounts.Device("tablet", "ios", ""))
    new = signed_in(user)

    assert not is_alive(old.session)
    assert is_alive(tablet.session)
    assert is_alive(new.session)


def test_another_account_on_the_same_device_stays_signed_in():
    first, second = signed_in(), signed_in()

    assert is_alive(first.session)
    assert is_alive(second.session)
