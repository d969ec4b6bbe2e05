"""The real-name register: people, the categories they belong to, and claims to be one of them."""

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from people.crypto import EncryptedTextField
from people.models.base import Row, one_of
from people.roles import Role, Scope

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from people.models.accounts import User


# What is encrypted. Showing a row must not decrypt it, so whoever reads rows to show defers it.
SEALED = ("id_number", "phone")


def sealed(path: str) -> list[str]:
    """Name the encrypted columns of the person at the end of a path, for ``defer``."""
    return [f"{path}__{name}" for name in SEALED]


class PersonQuerySet(models.QuerySet["Person"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """Oneself, those one's institution registered or trains, those of one's region."""
        if user.is_anonymous:
            return self.none()
        trained_by = user.organisation_ids(Role.INSTITUTION_ADMIN)
        return self.filter(
            Q(pk=user.person_id)
            | Q(pk__in=Person.objects.filter(known_to__organisation__in=trained_by).values("pk"))
            | user.in_region("region_id")
        )


class PersonSex(models.TextChoices):
    MALE = "male", _("Male")
    FEMALE = "female", _("Female")


class PersonEducation(models.TextChoices):
    """GB/T 4658, as bureau forms abridge it."""

    POSTGRADUATE = "postgraduate", _("Postgraduate")
    BACHELOR = "bachelor", _("Bachelor")
    JUNIOR_COLLEGE = "junior_college", _("Junior college")
    SECONDARY_VOCATIONAL = "secondary_vocational", _("Secondary vocational")
    SENIOR_HIGH = "senior_high", _("Senior high school")
    JUNIOR_HIGH = "junior_high", _("Junior high school")
    PRIMARY = "primary", _("Primary school")
    OTHER = "other", _("Other")
    UNKNOWN = "unknown", _("Unknown")


class PersonHukou(models.TextChoices):
    URBAN = "urban", _("Urban")
    RURAL = "rural", _("Rural")
    UNKNOWN = "unknown", _("Unknown")


class Person(Row):
    Sex = PersonSex
    Education = PersonEducation
    Hukou = PersonHukou

    name = models.CharField(max_length=60)
    name_initials = models.CharField(max_length=60, blank=True, db_index=True)
    id_number = EncryptedTextField()
    id_number_index = models.CharField(max_length=64, unique=True)
    # Shown everywhere instead of the number; kept so that a list need not decrypt.
    id_number_masked = models.CharField(max_length=18)
    phone = EncryptedTextField(blank=True)
    phone_index = models.CharField(max_length=64, blank=True, db_index=True)
    phone_masked = models.CharField(max_length=11, blank=True)
    born_on = models.DateField()
    sex = models.CharField(max_length=6, choices=Sex.choices)
    education = models.CharField(
        max_length=20, choices=Education.choices, default=Education.UNKNOWN
    )
    hukou = models.CharField(max_length=8, choices=Hukou.choices, default=Hukou.UNKNOWN)
    region = models.ForeignKey("people.Region", on_delete=models.PROTECT, related_name="+")
    # 就业创业证: one number for life.
    employment_card_number = models.CharField(max_length=30, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    objects = PersonQuerySet.as_manager()

    class Meta:
        constraints = [one_of("sex", PersonSex, "person_sex_is_known")]
        indexes = [models.Index(name="person_by_region", fields=["region", "id"])]

    def __str__(self) -> str:
        return self.id_number_masked

    @property
    def scope(self) -> Scope:
        return Scope(
            person_id=self.pk,
            region_id=self.region_id,
            organisation_ids=frozenset(known.organisation_id for known in self.known_to.all()),
        )

    def age_on(self, day: date) -> int:
        """Count full years on the day."""
        before_birthday = (day.month, day.day) < (self.born_on.month, self.born_on.day)
        return day.year - self.born_on.year - before_birthday


class Acquaintance(Row):
    """An organisation that registered, imported or trains the person, and so may see the row."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="known_to")
    organisation = models.ForeignKey(
        "people.Organisation", on_delete=models.PROTECT, related_name="+"
    )
    since = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="acquaintance_once", fields=["person", "organisation"]),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class PersonCategoryQuerySet(models.QuerySet["PersonCategory"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        return self.filter(person__in=Person.objects.visible_to(user))

    def valid_on(self, day: date) -> Self:
        return self.filter(valid_from__lte=day).filter(
            Q(valid_to__isnull=True) | Q(valid_to__gte=day)
        )


class PersonCategoryCategory(models.TextChoices):
    REGISTERED_UNEMPLOYED = "registered_unemployed", _("Registered unemployed")
    LAID_OFF = "laid_off", _("Laid off")
    DISPLACED_CAPACITY_CUT = "displaced_capacity_cut", _("Displaced by capacity cuts")
    IDLED_STAFF = "idled_staff", _("Staff of an idled enterprise")
    HARD_TO_EMPLOY = "hard_to_employ", _("Hard to employ")
    AGE_4050 = "age_4050", _("Older worker (women 40, men 50)")
    ZERO_HOUSEHOLD_MEMBER = "zero_household_member", _("Member of a zero-employment household")
    DIBAO = "dibao", _("Subsistence allowance recipient")
    DISABLED = "disabled", _("Disabled")
    LAND_LOST = "land_lost", _("Land-lost farmer")
    LONG_TERM_UNEMPLOYED = "long_term_unemployed", _("Long-term unemployed")
    LIFTED_POOR = "lifted_poor", _("Lifted out of poverty")
    GRADUATE_UNPLACED = "graduate_unplaced_2y", _("Unplaced graduate")
    TWO_AFTERS = "two_afters", _("School leaver without further place")
    RURAL_TRANSFER = "rural_transfer", _("Rural labour transferring")
    RETURNING_MIGRANT = "returning_migrant", _("Returning migrant worker")
    VETERAN = "veteran", _("Veteran")
    STARTUP_INTENT = "startup_intent", _("Intends to start a business")
    ENTERPRISE_STAFF = "enterprise_staff", _("Enterprise staff")
    OTHER = "other", _("Other")


class PersonCategory(Row):
    """A person belongs to a category from a day to a day, as some body recognised."""

    Category = PersonCategoryCategory

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="categories")
    category = models.CharField(max_length=32, choices=Category.choices)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    # Empty while only the person says so.
    recognised_by = models.ForeignKey(
        "people.Organisation", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    evidence = models.ForeignKey(
        "people.StoredFile", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = PersonCategoryQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("category", PersonCategoryCategory, "person_category_is_known"),
            models.UniqueConstraint(
                name="category_starts_once", fields=["person", "category", "valid_from"]
            ),
            models.CheckConstraint(
                name="category_ends_after_it_starts",
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=models.F("valid_from")),
            ),
        ]

    def __str__(self) -> str:
        return self.category


class PersonClaimQuerySet(models.QuerySet["PersonClaim"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """Those who can see the claimed person decide; the claimant never sees the row."""
        if user.is_anonymous:
            return self.none()
        return self.filter(person__in=Person.objects.visible_to(user)).exclude(user=user)


class PersonClaimStatus(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    CONFIRMED = "confirmed", _("Confirmed")
    REFUSED = "refused", _("Refused")


class PersonClaim(Row):
    """An account says that it is a person already on the register; someone has to confirm."""

    Status = PersonClaimStatus

    user = models.ForeignKey("people.User", on_delete=models.CASCADE, related_name="claims")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="claims")
    # As the claimant gave it, for comparing with the card.
    name = models.CharField(max_length=60)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    created_at = models.DateTimeField()

    objects = PersonClaimQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("status", PersonClaimStatus, "claim_status_is_known"),
            models.UniqueConstraint(
                name="claim_one_waiting_per_account",
                fields=["user"],
                condition=Q(status="waiting"),
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def scope(self) -> Scope:
        # Without the person: nobody decides about themselves.
        return replace(self.person.scope, person_id=None)
