"""Identifying numbers as the state and the networks issue them: parsed, checked and masked."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

IdentifierFault = Literal[
    "wrong_length",
    "wrong_characters",
    "wrong_region",
    "wrong_birth_date",
    "wrong_check_digit",
    "old_15_digit",
]
Sex = Literal["male", "female"]

MESSAGES: dict[IdentifierFault, Promise] = {
    "wrong_length": _("The number is too short or too long."),
    "wrong_characters": _("The number contains characters that do not belong in it."),
    "wrong_region": _("The number does not begin with the code of a province."),
    "wrong_birth_date": _("The number does not contain a possible date of birth."),
    "wrong_check_digit": _("The check character does not match: a digit is probably mistyped."),
    "old_15_digit": _("This is an old 15-digit number; enter the present 18-character one."),
}

# Zero-width characters, text-direction marks and control characters: pasted in, never typed.
INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064"
    "\u2066-\u2069\ufeff]"
)

_OLD_LENGTH = 15
_LENGTH = 18
_MOBILE_LENGTH = 11
_EARLIEST_BIRTH = date(1900, 1, 1)
_PROVINCES = frozenset(
    str(code)
    for codes in (
        range(11, 16),
        range(21, 24),
        range(31, 38),
        range(41, 47),
        range(50, 55),
        range(61, 66),
        (71, 81, 82, 83),
    )
    for code in codes
)
_RESIDENT_WEIGHTS = tuple(2**power % 11 for power in range(17, 0, -1))
_RESIDENT_CHECKS = "10X98765432"

_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_WEIGHTS = tuple(3**power % 31 for power in range(17))

_COMPOUND_SURNAME = re.compile(
    "欧阳|太史|端木|上官|司马|东方|独孤|南宫|万俟|闻人|夏侯|诸葛|尉迟|公羊|赫连|澹台|皇甫|宗政|"
    "濮阳|公冶|太叔|申屠|公孙|慕容|仲孙|钟离|长孙|宇文|司徒|鲜于|司空|闾丘|亓官|司寇|巫马|公西|"
    "颛孙|壤驷|公良|漆雕|乐正|宰父|谷梁|拓跋|夹谷|轩辕|令狐|段干|百里|呼延|东郭|南门|羊舌|微生|"
    "梁丘|左丘|东门|西门|第五"
)


class BadIdentifier(ValueError):
    """The text is not the number it claims to be; ``code`` says what is wrong with it."""

    def __init__(self, code: IdentifierFault) -> None:
        super().__init__(code)
        self.code: IdentifierFault = code
        self.message = MESSAGES[code]

    def __str__(self) -> str:
        return str(self.message)


@dataclass(frozen=True, slots=True)
class ResidentId:
    """A valid 18-character resident identity number and what it says about its holder."""

    number: str
    born_on: date
    sex: Sex
    region_code: str


def compact(text: str) -> str:
    """Return the text in half-width characters, without spaces and invisible characters."""
    half_width = unicodedata.normalize("NFKC", text)
    return "".join(INVISIBLE.sub("", half_width).split())


def resident_id(text: str, *, on: date) -> ResidentId:
    """Parse a resident identity number as it stands on the given day.

    :raises BadIdentifier: the number cannot have been issued by that day.
    """
    number = compact(text).upper()
    if len(number) == _OLD_LENGTH:
        raise BadIdentifier("old_15_digit")
    if len(number) != _LENGTH:
        raise BadIdentifier("wrong_length")
    if not re.fullmatch(r"[0-9]{17}[0-9X]", number):
        raise BadIdentifier("wrong_characters")
    if number[:2] not in _PROVINCES:
        raise BadIdentifier("wrong_region")
    born_on = _birth_date(number[6:14], on)
    if number[-1] != check_digit(number[:17]):
        raise BadIdentifier("wrong_check_digit")
    sex: Sex = "male" if int(number[16]) % 2 else "female"
    return ResidentId(number=number, born_on=born_on, sex=sex, region_code=number[:6])


def _birth_date(digits: str, on: date) -> date:
    try:
        born_on = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        raise BadIdentifier("wrong_birth_date") from None
    if not _EARLIEST_BIRTH <= born_on <= on:
        raise BadIdentifier("wrong_birth_date")
    return born_on


def check_digit(first17: str) -> str:
    """Return the ISO 7064 MOD 11-2 check character of a resident identity number."""
    total = sum(
        int(digit) * weight for digit, weight in zip(first17, _RESIDENT_WEIGHTS, strict=True)
    )
    return _RESIDENT_CHECKS[total % 11]


def credit_code(text: str) -> str:
    """Return the unified social credit code (GB 32100-2015) that the text holds.

    :raises BadIdentifier: the code is malformed or its check character does not match.
    """
    code = compact(text).upper()
    if len(code) != _LENGTH:
        raise BadIdentifier("wrong_length")
    if not re.fullmatch(rf"[{_CREDIT_ALPHABET}]{{2}}[0-9]{{6}}[{_CREDIT_ALPHABET}]{{10}}", code):
        raise BadIdentifier("wrong_characters")
    total = sum(
        _CREDIT_ALPHABET.index(character) * weight
        for character, weight in zip(code[:17], _CREDIT_WEIGHTS, strict=True)
    )
    if code[-1] != _CREDIT_ALPHABET[-total % 31]:
        raise BadIdentifier("wrong_check_digit")
    return code


def mobile_number(text: str) -> str:
    """Return the eleven digits of a mainland mobile number.

    :raises BadIdentifier: no mainland mobile number has this form.
    """
    digits = re.sub(r"[-\u2010-\u2015\u2212]", "", compact(text))
    national = re.sub(r"^(?:\+|00)?86(?=.{11}$)", "", digits)
    if len(national) != _MOBILE_LENGTH:
        raise BadIdentifier("wrong_length")
    if not re.fullmatch(r"1[3-9][0-9]{9}", national):
        raise BadIdentifier("wrong_characters")
    return national


def mask_id_number(number: str) -> str:
    """Return the number with only its first three and last four characters legible."""
    return _mask(number, head=3, tail=4)


def mask_phone(number: str) -> str:
    """Return the number with only its first three and last four digits legible."""
    return _mask(number, head=3, tail=4)


def _mask(text: str, *, head: int, tail: int) -> str:
    hidden = len(text) - head - tail
    if hidden < tail:
        return "*" * len(text)
    return text[:head] + "*" * hidden + text[-tail:]


def mask_name(name: str) -> str:
    """Return the name with only its surname legible; a name of one character is hidden."""
    surname = 2 if len(name) > 2 and _COMPOUND_SURNAME.match(name) else 1
    if len(name) <= surname:
        return "*" * len(name)
    return name[:surname] + "*" * (len(name) - surname)
