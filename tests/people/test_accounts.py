"""Signing in: codes that cannot be guessed, passwords, and tokens that cannot be used twice."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.hashers import make_password

from people import accounts
from people.models import SignInCode, User
from tests import factories

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
PHONE, ANOTHER = "13812340001", "13812340002"
HOME, ELSEWHERE = "192.0.2.1", "192.0.2.2"
HANDSET = accounts.Device("handset-1", "android", "Testphone")


@pytest.fixture
def sent(monkeypatch, django_capture_on_commit_callbacks):
    """Ask for a code and read the text message that carries it."""
    texts = {}
    monkeypatch.setattr(accounts.sms, "send", lambda phone, text: texts.update({phone: text}))

    def send(phone=PHONE, at=NOON, address=HOME):
        with django_capture_on_commit_callbacks(execute=True):
            challenge = accounts.send_code(phone, address=address, at=at)
        return challenge.pk, re.search(r"[0-9]{6}", texts[phone])[0]

    return send


def other_than(code):
    return f"{(int(code) + 1) % 10**6:06}"


def sign_in(sent, phone=PHONE, at=NOON, device=HANDSET):
    challenge, code = sent(phone, at)
    return accounts.sign_in_by_code(challenge, code, device, at=at)


# -- codes ------------------------------------------------------------------------------------


def test_first_sign_in_makes_the_account(sent):
    tokens = sign_in(sent)

    assert tokens.session.user.phone == PHONE
    assert User.objects.count() == 1


def test_second_sign_in_finds_the_account(sent):
    first = sign_in(sent)
    second = sign_in(sent, at=NOON + timedelta(minutes=2))

    assert second.session.user == first.session.user


def test_code_works_once(sent):
    challenge, code = sent()
    accounts.sign_in_by_code(challenge, code, HANDSET, at=NOON)

    with pytest.raises(accounts.WrongCredentials):
        accounts.sign_in_by_code(challenge, code, HANDSET, at=NOON)


def test_code_works_for_five_minutes_only(sent):
    challenge, code = sent()

    with pytest.raises(accounts.WrongCredentials):
        accounts.sign_in_by_code(challenge, code, HANDSET, at=NOON + timedelta(minutes=5))


def test_right_code_is_refused_after_five_wrong_ones(sent):
    challenge, code = sent()
    for _guess in range(5):
        with pytest.raises(accounts.WrongCredentials):
            accounts.sign_in_by_code(challenge, other_than(code), HANDSET, at=NOON)

    with pytest.raises(accounts.WrongCredentials):
        accounts.sign_in_by_code(challenge, code, HANDSET, at=NOON)


def test_fifth_try_still_counts(sent):
    challenge, code = sent()
    for _guess in range(4):
        with pytest.raises(accounts.WrongCredentials):
            accounts.sign_in_by_code(challenge, other_than(code), HANDSET, at=NOON)

    assert accounts.sign_in_by_code(challenge, code, HANDSET, at=NOON)


def test_newest_challenge_kills_the_older(sent):
    old, old_code = sent()
    new, new_code = sent(at=NOON + timedelta(seconds=60))

    with pytest.raises(accounts.WrongCredentials):
        accounts.sign_in_by_code(old, old_code, HANDSET, at=NOON + timedelta(seconds=61))
    assert accounts.sign_in_by_code(new, new_code, HANDSET, at=NOON + timedelta(seconds=61))


def test_code_of_one_phone_does_not_open_another(sent):
    mine, _code = sent(PHONE)
    _theirs, code = sent(ANOTHER)

    if code != _code:
        with pytest.raises(accounts.WrongCredentials):
            accounts.sign_in_by_code(mine, code, HANDSET, at=NOON)


def test_code_is_not_stored_in_the_clear(sent):
    _challenge, code = sent()

    stored = SignInCode.objects.values("code_hash", "phone_index").get()

    assert code not in stored["code_hash"]
    assert PHONE not in stored["phone_index"]


@pytest.mark.parametrize(("seconds", "allowed"), [(59, False), (60, True)])
def test_resend_after_sixty_seconds(sent, seconds, allowed):
    sent()

    if allowed:
        assert sent(at=NOON + timedelta(seconds=seconds))
    else:
        with pytest.raises(accounts.TooManyCodes) as refusal:
            sent(at=NOON + timedelta(seconds=seconds))
        assert 1 <= refusal.value.facts["retry_after"] <= 2


def test_five_codes_an_hour(sent):
    for minute in range(0, 10, 2):
        sent(at=NOON + timedelta(minutes=minute))

    with pytest.raises(accounts.TooManyCodes):
        sent(at=NOON + timedelta(minutes=30))
    assert sent(at=NOON + timedelta(minutes=60))


def test_ten_codes_a_day(sent):
    for hour in range(10):
        sent(at=NOON + timedelta(hours=hour * 2))

    with pytest.raises(accounts.TooManyCodes):
        sent(at=NOON + timedelta(hours=23))
    assert sent(at=NOON + timedelta(hours=24))


def test_one_phone_does_not_use_up_another_ones_codes(sent):
    sent(PHONE)

    assert sent(ANOTHER)


def some_phone(number):
    return f"1380000{number:04}"


@pytest.mark.parametrize(
    ("last", "allowed"),
    [(HOME, False), (ELSEWHERE, True)],
)
def test_twenty_codes_an_hour_for_one_address(sent, last, allowed):
    for number in range(20):
        sent(some_phone(number))

    if allowed:
        assert sent(ANOTHER, address=last)
    else:
        with pytest.raises(accounts.TooManyCodes) as refusal:
            sent(ANOTHER, address=last)
        assert 3599 <= refusal.value.facts["retry_after"] <= 3601
        assert sent(ANOTHER, at=NOON + timedelta(minutes=60))


def test_whoever_has_an_address_has_its_neighbours_too(sent):
    for number in range(20):
        sent(some_phone(number), address=f"2001:db8::{number:x}")

    with pytest.raises(accounts.TooManyCodes):
        sent(ANOTHER, address="2001:db8::ffff")
    assert sent(ANOTHER, address="2001:db8:0:1::1")


def test_address_is_not_stored_in_the_clear(sent):
    sent()

    assert HOME not in SignInCode.objects.get().address_index


def test_demo_phones_do_not_count_for_an_address(settings):
    settings.DEMO_PHONES = ("13900000000", "13900099999")

    for number in range(21):
        assert accounts.send_code(f"139000000{number:02}", address=HOME, at=NOON)


# -- the demonstration profile ------------------------------------------------------------------


def test_demo_phone_signs_in_with_the_fixed_code(settings):
    settings.DEMO_PHONES = ("13900000000", "13900099999")
    challenge = accounts.send_code("13900012345", address=HOME, at=NOON)

    assert accounts.sign_in_by_code(challenge.pk, "000000", HANDSET, at=NOON)


@pytest.mark.parametrize("phone", ["13900000000", "13900099999", "13900012345"])
def test_fixed_code_does_not_exist_in_production(settings, monkeypatch, phone):
    settings.DEMO_PHONES = None
    monkeypatch.setattr(accounts.secrets, "randbelow", lambda _limit: 123456)
    challenge = accounts.send_code(phone, address=HOME, at=NOON)

    with pytest.raises(accounts.WrongCredentials):
        accounts.sign_in_by_code(challenge.pk, "000000", HANDSET, at=NOON)


@pytest.mark.parametrize("phone", ["13899999999", "13900100000", PHONE])
def test_only_demo_phones_are_demo(settings, phone):
    settings.DEMO_PHONES = ("13900000000", "13900099999")

    assert not accounts.is_demo(phone)


# -- linking --------------------------------------------------------------------------------------


def test_whoever_proves_the_phone_is_the_registered_person(sent):
    person = factories.person(phone=PHONE)

    tokens = sign_in(sent)

    assert tokens.session.user.person == person


def test_shared_phone_links_nobody(sent):
    factories.person(phone=PHONE, name="测试一")
    factories.person(phone=PHONE, name="测试二")

    tokens = sign_in(sent)

    assert tokens.session.user.person is None


def test_shared_phone_links_nobody_even_when_one_of_them_has_an_account(sent):
    mother = factories.person(phone=PHONE, name="测试一")
    factories.user(ANOTHER, person=mother)
    factories.person(phone=PHONE, name="测试二")

    tokens = sign_in(sent)

    assert tokens.session.user.person is None


# -- passwords ------------------------------------------------------------------------------------


def with_password(phone=PHONE, password="right horse"):
    return User.objects.create(
        phone=phone,
        phone_index=accounts.phone_index(phone),
        password=make_password(password),
        created_at=NOON,
    )


def by_password(password, phone=PHONE, at=NOON, address=HOME):
    return accounts.sign_in_by_password(phone, password, HANDSET, address=address, at=at)


def guess(times, address=HOME):
    for _guess in range(times):
        with pytest.raises(accounts.WrongCredentials):
            by_password("wrong", address=address)


def test_password_opens_a_session():
    user = with_password()

    assert by_password("right horse").session.user == user


@pytest.mark.parametrize("phone", [PHONE, ANOTHER])
def test_wrong_password_and_unknown_phone_are_one_refusal(phone):
    with_password(PHONE)

    with pytest.raises(accounts.WrongCredentials) as refusal:
        by_password("wrong", phone)
    assert refusal.value.facts == {}


def test_account_without_a_password_cannot_sign_in_by_one():
    with_password(password=None)

    with pytest.raises(accounts.WrongCredentials):
        by_password("")


def test_ten_wrong_passwords_close_the_door_for_an_hour():
    with_password()
    for _guess in range(10):
        with pytest.raises(accounts.WrongCredentials):
            by_password("wrong")

    with pytest.raises(accounts.WrongCredentials):
        by_password("right horse", at=NOON + timedelta(minutes=59))
    assert by_password("right horse", at=NOON + timedelta(minutes=61))


def test_stranger_who_guesses_does_not_lock_the_owner_out():
    with_password()
    guess(11, ELSEWHERE)

    assert by_password("right horse")


def test_success_forgets_ones_own_slips_only():
    with_password()
    guess(9)
    guess(10, ELSEWHERE)

    by_password("right horse")

    guess(9)
    assert by_password("right horse")
    with pytest.raises(accounts.WrongCredentials):
        by_password("right horse", address=ELSEWHERE)


def test_a_hundred_guesses_from_anywhere_close_the_account_for_an_hour(monkeypatch):
    monkeypatch.setattr(accounts, "check_password", lambda given, _stored: given == "right horse")
    with_password()
    for last in range(10):
        guess(10, f"198.51.100.{last}")

    with pytest.raises(accounts.WrongCredentials):
        by_password("right horse")
    assert by_password("right horse", at=NOON + timedelta(minutes=61))


def test_disabled_account_opens_nothing(sent):
    User.objects.filter(pk=with_password().pk).update(is_active=False)
    challenge, code = sent()

    with pytest.raises(accounts.WrongCredentials):
        by_password("right horse")
    with pytest.raises(accounts.WrongCredentials):
        accounts.sign_in_by_code(challenge, code, HANDSET, at=NOON)
