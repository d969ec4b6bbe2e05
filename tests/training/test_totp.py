"""The rotating code, against the test vectors of RFC 6238 (appendix B)."""

import base64
from datetime import UTC, datetime

import pytest

from training import totp

SECRET = base64.b32encode(b"12345678901234567890").decode()
VECTORS = [
    (59, "94287082"),
    (1111111109, "07081804"),
    (1111111111, "14050471"),
    (1234567890, "89005924"),
    (2000000000, "69279037"),
    (20000000000, "65353130"),
]


@pytest.mark.parametrize(("seconds", "expected"), VECTORS)
def test_code_is_that_of_the_rfc(seconds: int, expected: str) -> None:
    step = totp.step_at(datetime.fromtimestamp(seconds, UTC), 30)

    assert totp.code_of(SECRET, step, digits=8) == expected


def test_six_digits_are_the_last_six_and_keep_their_zeros() -> None:
    assert totp.code_of(SECRET, 1111111109 // 30) == "081804"


def test_only_the_code_of_the_step_is_shown() -> None:
    assert totp.shows(SECRET, 59 // 30, "287082")
    assert not totp.shows(SECRET, 59 // 30 + 1, "287082")


def test_step_begins_where_it_is_counted_from() -> None:
    moment = datetime(2026, 3, 2, 8, 30, 44, tzinfo=UTC)

    step = totp.step_at(moment, 30)

    assert totp.start_of(step, 30) == datetime(2026, 3, 2, 8, 30, 30, tzinfo=UTC)


def test_secrets_are_long_and_differ() -> None:
    one, other = totp.new_secret(), totp.new_secret()

    assert one != other
    assert len(base64.b32decode(one)) == 20
