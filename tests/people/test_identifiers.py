"""Identifying numbers: what is accepted, what is refused and why, and what masks still show."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc
from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_11_2

from people.identifiers import (
    BadIdentifier,
    ResidentId,
    check_digit,
    credit_code,
    mask_id_number,
    mask_name,
    mask_phone,
    mobile_number,
    resident_id,
)

TODAY = date(2026, 3, 2)
CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def resident(first17: str) -> str:
    return first17 + check_digit(first17)


def full_width(text: str) -> str:
    return "".join(chr(ord(character) + 0xFEE0) for character in text)


def test_a_resident_id_tells_birth_date_sex_and_region() -> None:
    number = resident("43020219900101123")

    parsed = resident_id(number, on=TODAY)

    assert parsed == ResidentId(number, date(1990, 1, 1), "male", "430202")


def test_an_even_sequence_number_is_a_womans() -> None:
    number = resident("43020219900101124")

    parsed = resident_id(number, on=TODAY)

    assert parsed.sex == "female"


def test_slips_of_typing_do_not_matter_in_a_resident_id() -> None:
    first17 = next(n for n in map(str, range(43020219900101001, 10**17)) if check_digit(n) == "X")
    typed = f" {full_width(first17[:6])} {first17[6:14]}\u200b{first17[14:]}ｘ\u3000"

    parsed = resident_id(typed, on=TODAY)

    assert parsed.number == f"{first17}X"


def wrong_check(first17: str) -> str:
    return first17 + ("1" if check_digit(first17) != "1" else "2")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "wrong_length"),
        ("4302021990010112", "wrong_length"),
        (resident("43020219900101123") + "0", "wrong_length"),
        ("430202900101123", "old_15_digit"),
        ("4302021990O1011234", "wrong_characters"),
        ("X30202199001011234", "wrong_characters"),
        ("٤30202199001011234", "wrong_characters"),
        (resident("16020219900101123"), "wrong_region"),
        (resident("00020219900101123"), "wrong_region"),
        (resident("43020219900230123"), "wrong_birth_date"),
        (resident("43020218991231123"), "wrong_birth_date"),
        (resident("43020220260303123"), "wrong_birth_date"),
        (wrong_check("43020219900101123"), "wrong_check_digit"),
    ],
)
def test_a_wrong_resident_id_says_what_is_wrong(text: str, code: str) -> None:
    with pytest.raises(BadIdentifier) as refused:
        resident_id(text, on=TODAY)

    assert refused.value.code == code


def test_a_child_born_today_has_a_valid_number() -> None:
    number = resident("43020220260302123")

    parsed = resident_id(number, on=TODAY)

    assert parsed.born_on == TODAY


@given(st.from_regex(r"[0-9]{17}", fullmatch=True))
def test_the_check_digit_is_iso_7064_mod_11_2(first17: str) -> None:
    character = check_digit(first17)

    assert character == mod_11_2.calc_check_digit(first17)


@given(st.integers(0, 16), st.integers(1, 9))
def test_one_mistyped_digit_never_passes_the_check(place: int, shift: int) -> None:
    number = resident("43020219900101123")
    digit = str((int(number[place]) + shift) % 10)

    mistyped = number[:place] + digit + number[place + 1 :]

    with pytest.raises(BadIdentifier):
        resident_id(mistyped, on=TODAY)


@given(
    st.from_regex(r"[0-9A-HJ-NP-RTUWXY]{2}[0-9]{6}", fullmatch=True),
    st.text(CREDIT_ALPHABET, min_size=9, max_size=9),
)
def test_a_credit_code_with_its_check_character_is_accepted(head: str, body: str) -> None:
    code = head + body + uscc.calc_check_digit(head + body)

    accepted = credit_code(code.lower())

    assert accepted == code


@given(
    st.from_regex(r"9[0-9][0-9]{6}", fullmatch=True),
    st.text(CREDIT_ALPHABET + "IOZSV", min_size=10, max_size=10),
)
def test_credit_codes_are_judged_as_others_judge_them(head: str, body: str) -> None:
    code = head + body

    try:
        expected = uscc.validate(code)
    except ValidationError:
        with pytest.raises(BadIdentifier):
            credit_code(code)
    else:
        assert credit_code(code) == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("91110000600037341", "wrong_length"),
        ("9111000060003734IL", "wrong_characters"),
        ("91110A00600037341L", "wrong_characters"),
        ("91110000600037341M", "wrong_check_digit"),
    ],
)
def test_a_wrong_credit_code_says_what_is_wrong(text: str, code: str) -> None:
    with pytest.raises(BadIdentifier) as refused:
        credit_code(text)

    assert refused.value.code == code


@pytest.mark.parametrize(
    "text",
    [
        "13900000001",
        " 139 0000 0001 ",
        "139-0000-0001",
        "+8613900000001",
        "+86 139-0000-0001",
        "8613900000001",
        "008613900000001",
        "１３９００００－０００１",
    ],
)
def test_a_mobile_number_is_found_in_what_people_type(text: str) -> None:
    number = mobile_number(text)

    assert number == "13900000001"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "wrong_length"),
        ("1390000000", "wrong_length"),
        ("139000000011", "wrong_length"),
        ("12900000001", "wrong_characters"),
        ("0731-2222222", "wrong_characters"),
        ("139OOOO0001", "wrong_characters"),
    ],
)
def test_a_wrong_mobile_number_says_what_is_wrong(text: str, code: str) -> None:
    with pytest.raises(BadIdentifier) as refused:
        mobile_number(text)

    assert refused.value.code == code


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("张三丰", "张**"),
        ("张三", "张*"),
        ("欧阳修", "欧阳*"),
        ("欧阳", "欧*"),
        ("司马相如", "司马**"),
        ("张", "*"),
        ("", ""),
    ],
)
def test_a_masked_name_shows_only_the_surname(name: str, masked: str) -> None:
    shown = mask_name(name)

    assert shown == masked


def test_masked_numbers_show_only_their_ends() -> None:
    number, phone = "430202199001011234", "13900000001"

    shown = (mask_id_number(number), mask_phone(phone))

    assert shown == ("430***********1234", "139****0001")


@pytest.mark.parametrize("text", ["", "1", "1234567", "1234567890"])
def test_a_mask_never_shows_most_of_a_short_number(text: str) -> None:
    shown = mask_phone(text)

    assert shown == "*" * len(text)
