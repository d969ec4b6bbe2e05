"""Who appears in the demonstration: regions, organisations, accounts and persons, all invented."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import product
from pathlib import Path
from random import Random

from django.conf import settings
from django.contrib.auth.hashers import make_password

from config.demo import PASSWORD, uid
from people import identifiers, persons, regions
from people.crypto import phone_index
from people.days import local_day
from people.models import (
    Acquaintance,
    Membership,
    Organisation,
    Person,
    PersonCategory,
    Policy,
    Region,
    User,
)
from people.roles import Role, ancestors

CITY, COUNTY_A, COUNTY_B = "430200000000", "430202000000", "430203000000"
CITY_BUREAU = "示范市人力资源和社会保障局"
CODE_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜"
# Nobody is called so: 样 and 例 say that the person is a sample.
GIVEN = [f"{first}{second}" for first, second in product("样例", "甲乙丙丁戊己庚辛壬癸")]
KIND = Organisation.Kind


@dataclass
class Side:
    """One half of the city: a county with its institution, its incubator and its people."""

    letter: str
    county: Region
    bureau: Organisation
    institution: Organisation
    incubator: Organisation
    admin: User
    trainer: User
    officer: User
    second_officer: User
    trainee: User
    persons: list[Person] = field(default_factory=list)


def credit_code(number: int) -> str:
    """Make a valid 统一社会信用代码 of an organisation that does not exist."""
    first = f"91430200MA{number:07d}"
    for last in CODE_CHARACTERS:
        try:
            return identifiers.credit_code(first + last)
        except identifiers.BadIdentifier:
            continue
    raise AssertionError(first)


def id_number(county: str, born_on: date, serial: int) -> str:
    """Make a valid resident ID number of a person who does not exist."""
    first = f"{county[:6]}{born_on:%Y%m%d}{serial:03d}"
    return first + identifiers.check_digit(first)


def load_regions(day: date) -> None:
    """Read the demonstration city through the importer that reads the official file."""
    path = Path(settings.BASE_DIR, "people", "data", "demo_regions.csv")
    regions.load(path.read_bytes(), valid_from=day - timedelta(days=3650))


def organisation(
    kind: str, name: str, region: str, at: datetime, number: int | None = None
) -> Organisation:
    """Found an organisation."""
    return Organisation.objects.create(
        id=uid("organisation", name),
        kind=kind,
        name=name,
        credit_code=None if number is None else credit_code(number),
        region_id=region,
        address="株洲市示范路1号",
        created_at=at,
    )


class Cast:
    """Everybody, once loaded."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.random = Random(20260101)  # noqa: S311  # repeatable on purpose
        # One argon2 hash serves all: hashing eighteen times would take seconds.
        self.password = make_password(PASSWORD)
        self.organisations: dict[str, Organisation] = {}
        self._townships: dict[str, list[Region]] = {}

    def load(self) -> tuple[Side, Side]:
        """Make the whole cast."""
        load_regions(local_day(self.at))
        self._organisations()
        sides = (self._side("A", COUNTY_A), self._side("B", COUNTY_B))
        city = self.organisations["city"]
        self.account(53, Role.OFFICER, city)
        self.account(61, Role.AUDITOR, city)
        self.account(71, Role.SYSTEM_ADMIN, city)
        self._population(sides)
        self._policies(sides)
        return sides

    def _organisations(self) -> None:
        make, at = self.organisations, self.at
        make["city"] = organisation(KIND.BUREAU, CITY_BUREAU, CITY, at, 1)
        for offset, (letter, county) in enumerate((("A", COUNTY_A), ("B", COUNTY_B))):
            name = {"A": "甲区", "B": "乙区"}[letter]
            base = 10 * (offset + 1)
            for number, (key, kind, title) in enumerate(
                (
                    ("bureau", KIND.BUREAU, f"示范市{name}人力资源和社会保障局"),
                    ("institution", KIND.INSTITUTION, f"示范{name}职业培训学校"),
                    ("incubator", KIND.INCUBATOR, f"示范{name}创业孵化基地"),
                    ("tenant1", KIND.TENANT, f"样例{name}智能装备有限公司"),
                    ("tenant2", KIND.TENANT, f"样例{name}家政服务有限公司"),
                    ("employer1", KIND.EMPLOYER, f"样例{name}汽车零部件有限公司"),
                    ("employer2", KIND.EMPLOYER, f"样例{name}物流有限公司"),
                )
            ):
                make[key + letter] = organisation(kind, title, county, at, base + number)

    def _side(self, letter: str, county: str) -> Side:
        of, second = self.organisations, {"A": 0, "B": 1}[letter]
        bureau, institution = of["bureau" + letter], of["institution" + letter]
        incubator, tenant = of["incubator" + letter], of["tenant1" + letter]
        trainee = self.account(1 + second, None, None, county)
        self.account(41 + second, Role.FOUNDER, tenant, county)
        self.account(31 + second, Role.INCUBATOR_MANAGER, incubator)
        officer = self.account(51 + second, Role.OFFICER, bureau)
        return Side(
            letter=letter,
            county=Region.objects.get(pk=county),
            bureau=bureau,
            institution=institution,
            incubator=incubator,
            admin=self.account(11 + second, Role.INSTITUTION_ADMIN, institution),
            trainer=self.account(21 + second, Role.TRAINER, institution, county),
            officer=officer,
            second_officer=(self.account(54, Role.OFFICER, bureau) if letter == "A" else officer),
            trainee=trainee,
        )

    def account(
        self, last: int, role: Role | None, where: Organisation | None, county: str | None = None
    ) -> User:
        """Open the account with the phone 139000000NN, with a person if a county is given."""
        phone = f"139000000{last:02d}"
        user = User.objects.create(
            id=uid("user", phone),
            phone=phone,
            phone_index=phone_index(phone),
            password=self.password,
            person=self.person(last, county, phone) if county else None,
            created_at=self.at,
        )
        if role and where:
            Membership.objects.create(
                id=uid("membership", phone), user=user, organisation=where, role=role,
                created_at=self.at,
            )  # fmt: skip
        return user

    def person(self, number: int, county: str, phone: str, *, save: bool = True) -> Person:
        """Put a sample person on the register; ``number`` makes name, age and number."""
        born_on = date(1970, 1, 1) + timedelta(days=self.random.randrange(30 * 365))
        township = self.townships(county)[number % 4]
        person = persons.build(
            persons.Particulars(
                name=SURNAMES[number % len(SURNAMES)] + GIVEN[number // len(SURNAMES) % 20],
                id_number=id_number(county, born_on, 100 + number % 800),
                region=township,
                phone=phone,
                education=self.random.choice(Person.Education.values[2:7]),
                hukou=self.random.choice(Person.Hukou.values[:2]),
                employment_card_number=f"4302{number:014d}",
            ),
            at=self.at,
        )
        person.id = uid("person", phone)
        person.verified_at = self.at
        if save:
            person.save(force_insert=True)
        return person

    def townships(self, county: str) -> list[Region]:
        """List a county's townships."""
        if county not in self._townships:
            found = Region.objects.within(county).filter(level=Region.Level.TOWNSHIP)
            self._townships[county] = list(found.order_by("code"))
        return self._townships[county]

    def _population(self, sides: tuple[Side, Side]) -> None:
        """Two hundred and sixty more, half in each county, known to their institution."""
        categories = PersonCategory.Category
        everyday = [categories.REGISTERED_UNEMPLOYED, categories.DISPLACED_CAPACITY_CUT,
                    categories.RURAL_TRANSFER, categories.VETERAN, categories.HARD_TO_EMPLOY,
                    categories.DISABLED]  # fmt: skip
        for side, first in zip(sides, (100, 300), strict=True):
            side.persons = [
                # Outside of the demonstration phones: those are left for visitors to sign up with.
                self.person(first + n, side.county.pk, f"1380000{first + n:04d}", save=False)
                for n in range(130)
            ]
            Person.objects.bulk_create(side.persons)
            User.objects.bulk_create(
                User(
                    id=uid("user", person.phone),
                    phone=person.phone,
                    phone_index=person.phone_index,
                    password=self.password,
                    person=person,
                    created_at=self.at,
                )
                for person in side.persons
            )
            known = [Person.objects.get(user=side.trainee), *side.persons]
            Acquaintance.objects.bulk_create(
                Acquaintance(
                    id=uid("known", person.pk), person=person, organisation=side.institution,
                    since=self.at,
                )
                for person in known
            )  # fmt: skip
            PersonCategory.objects.bulk_create(
                PersonCategory(
                    id=uid("category", person.pk),
                    person=person,
                    category=everyday[n % len(everyday)],
                    valid_from=local_day(self.at) - timedelta(days=500),
                    recognised_by=side.bureau,
                )
                for n, person in enumerate(known)
            )

    def _policies(self, sides: tuple[Side, Side]) -> None:
        """The city asks for 80 %, county B for 75 %: both are examples, neither is law."""
        officer = User.objects.get(pk=uid("user", "13900000053"))
        for region, rate in ((CITY, "0.80"), (COUNTY_B, "0.75")):
            Policy.objects.create(
                id=uid("policy", region),
                kind=Policy.Kind.ATTENDANCE,
                region_id=region,
                depth=len(ancestors(region)),
                effective_from=local_day(self.at) - timedelta(days=800),
                values={"required_rate": rate, "offline_upload_hours": 72},
                basis="示范文件〔2024〕1号",
                approved_by=officer,
                published_at=self.at - timedelta(days=800),
            )
