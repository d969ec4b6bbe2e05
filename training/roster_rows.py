"""One row of a roster, read strictly: what it says of a person, or every reason why not."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from people import identifiers, sheets
from people.models import Person
from training.rosters import CATEGORIES, COLUMNS, EDUCATION, SEXES

# What is told beside a cell, in the reader's language; the cell's own text is never repeated.
DETAILS: dict[str, Promise] = {
    **{str(code): text for code, text in identifiers.MESSAGES.items()},
    "missing": _("This cell must not be empty."),
    "too_long": _("This text is too long."),
    "digits_lost": _("The spreadsheet has rounded this number; enter it again as text."),
    "masked": _("This number is masked; the full one is needed."),
    "unknown_sex": _("This is neither 男 nor 女."),
    "sex_mismatch": _("The ID number says another sex."),
    "unknown_education": _("This level of education is not known."),
    "unknown_category": _("This category of people is not known."),
    "duplicate_in_sheet": _("The same ID number stands in a row further up."),
    "name_mismatch": _("The register has this ID number under another name."),
    "minimum_age": _("The person is too young on the first day of the class."),
    "maximum_age": _("The person is too old on the first day of the class."),
    "classes_per_year": _("The person has the year's limit of classes already."),
    "same_skill_once": _("The person has a class of the same occupation and level already."),
    "no_overlap": _("The person has another class at the same time."),
    "class_full": _("No seat is left for this row."),
}
# What is told of a good row: the cell was not taken as it stands.
REMARKS: dict[str, Promise] = {
    "unknown_region": _("This place is not known in the class's region; that one stands instead."),
}
# 16 digits are more than a spreadsheet keeps of a number.
NUMBERS = frozenset({"id_number", "phone", "employment_card_number"})
MAX_NAME, MAX_CARD, MAX_HEADER = 60, 30, 40
_SEPARATORS = re.compile(r"[、,，;；/|\s]+")


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row is bad: its number as the spreadsheet shows it, the header, the reason."""

    row: int
    column: str
    code: str

    def dump(self) -> dict[str, Any]:
        return {"row": self.row, "column": self.column, "code": self.code}


@dataclass(frozen=True, slots=True)
class Entry:
    """What a good row says of a person."""

    row: int
    name_column: str
    name: str
    id_number: str
    phone: str
    education: str
    categories: tuple[str, ...]
    region_column: str
    region_name: str
    employment_card_number: str


def same_name(one: str, other: str) -> bool:
    """Tell whether two spellings are one name: spaces, width and the dot's shape do not count."""
    return _folded(one) == _folded(other)


def masked_identity(name: str, id_number: str) -> tuple[str, str]:
    """Tell by what a row of a masked roster is known again on the roster that it came from."""
    return _folded(name), identifiers.compact(id_number)


def _folded(name: str) -> str:
    return re.sub(r"[·・•‧∙.]", "·", identifiers.compact(name)).casefold()


def read(row: sheets.Row, *, on: date) -> Entry | list[Fault]:
    """Read a row as it stands on the day."""
    reader = _Reader(row, on)
    entry = Entry(
        row=row.number,
        name_column=reader.header("name"),
        name=reader.name(),
        id_number=reader.id_number(),
        phone=reader.phone(),
        education=reader.education(),
        categories=reader.categories(),
        region_column=reader.header("region"),
        region_name=row["region"],
        employment_card_number=reader.employment_card_number(),
    )
    return reader.faults or entry


def _by_text(labels: Mapping[str, list[str]]) -> dict[str, str]:
    return {_plain(text): str(slug) for slug, texts in labels.items() for text in texts}


def _plain(text: str) -> str:
    return re.sub(r"[()\[\]]", "", identifiers.compact(text)).casefold()


_SEX, _EDUCATION, _CATEGORY = _by_text(SEXES), _by_text(EDUCATION), _by_text(CATEGORIES)


class _Reader:
    """Goes through the cells and notes what is wrong with each."""

    def __init__(self, row: sheets.Row, on: date) -> None:
        self.row, self.on = row, on
        self.faults: list[Fault] = []

    def header(self, field: str) -> str:
        return self.row.headers.get(field, COLUMNS[field][0])[:MAX_HEADER]

    def fault(self, field: str, code: str) -> str:
        self.faults.append(Fault(self.row.number, self.header(field), code))
        return ""

    def number(self, field: str) -> str:
        """Read the digits of a cell, empty if there are none that can be trusted."""
        text = self.row[field]
        if field in self.row.lost_digits:
            return self.fault(field, "digits_lost")
        if "*" in text:
            return self.fault(field, "masked")
        return text

    def name(self) -> str:
        name = self.row["name"]
        # Typists space out short names to align them; a Latin name needs its spaces.
        name = " ".join(name.split()) if re.search("[A-Za-z]", name) else "".join(name.split())
        if not name:
            return self.fault("name", "missing")
        return name if len(name) <= MAX_NAME else self.fault("name", "too_long")

    def id_number(self) -> str:
        if not self.row["id_number"]:
            return self.fault("id_number", "missing")
        text = self.number("id_number")
        if not text:
            return ""
        try:
            number = identifiers.resident_id(text, on=self.on)
        except identifiers.BadIdentifier as bad:
            return self.fault("id_number", bad.code)
        self.compare_sex(number.sex)
        return number.number

    def compare_sex(self, sex: str) -> None:
        said = _plain(self.row["sex"])
        if said and said not in _SEX:
            self.fault("sex", "unknown_sex")
        elif said and _SEX[said] != sex:
            self.fault("sex", "sex_mismatch")

    def phone(self) -> str:
        text = self.number("phone")
        try:
            return identifiers.mobile_number(text) if text else ""
        except identifiers.BadIdentifier as bad:
            return self.fault("phone", bad.code)

    def education(self) -> str:
        text = _plain(self.row["education"])
        if not text:
            return Person.Education.UNKNOWN
        return _EDUCATION.get(text) or self.fault("education", "unknown_education")

    def categories(self) -> tuple[str, ...]:
        text = re.sub(r"40[、/]50", "4050", self.row["categories"])
        slugs = [_CATEGORY.get(_plain(part)) for part in _SEPARATORS.split(text) if part]
        if None in slugs:
            self.fault("categories", "unknown_category")
        return tuple(dict.fromkeys(slug for slug in slugs if slug))

    def employment_card_number(self) -> str:
        text = self.number("employment_card_number")
        too_long = len(text) > MAX_CARD
        return self.fault("employment_card_number", "too_long") if too_long else text
