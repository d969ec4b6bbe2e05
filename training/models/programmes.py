"""What can be taught: occupations of the national classification, and programmes."""

from typing import TYPE_CHECKING, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from people.models.base import Row, one_of

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from people.models import User


class SkillLevel(models.TextChoices):
    """The eight-level ladder (新八级工), and none for courses that lead to no level."""

    NONE = "none", _("No level")
    APPRENTICE = "apprentice", _("Apprentice")
    JUNIOR = "junior", _("Junior worker (level 5)")
    INTERMEDIATE = "intermediate", _("Intermediate worker (level 4)")
    SENIOR = "senior", _("Senior worker (level 3)")
    TECHNICIAN = "technician", _("Technician (level 2)")
    SENIOR_TECHNICIAN = "senior_technician", _("Senior technician (level 1)")
    SPECIAL_TECHNICIAN = "special_technician", _("Special-grade technician")
    CHIEF_TECHNICIAN = "chief_technician", _("Chief technician")


class CatalogueQuerySet(models.QuerySet[models.Model]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """Catalogues are public."""
        return self


class Occupation(Row):
    """An occupation or work type (职业分类大典 2022), under its code such as 6-29-03-01."""

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=80)

    objects = CatalogueQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class ProgrammeKind(models.TextChoices):
    SKILL = "skill", _("Employment skills")
    UPGRADE = "upgrade", _("Skill upgrade")
    TRANSFER = "transfer", _("Change of post or trade")
    STARTUP = "startup", _("Business start-up")
    SAFETY = "safety", _("Safety skills")


class Programme(Row):
    Kind = ProgrammeKind

    occupation = models.ForeignKey(Occupation, on_delete=models.PROTECT, related_name="programmes")
    level = models.CharField(max_length=20, choices=SkillLevel.choices)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    name = models.CharField(max_length=120)
    # Class hours of 45 minutes.
    hours = models.PositiveSmallIntegerField()
    description = models.TextField(max_length=2000, blank=True)
    active = models.BooleanField(default=True)

    objects = CatalogueQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("kind", ProgrammeKind, "programme_kind_is_known"),
            one_of("level", SkillLevel, "programme_level_is_known"),
        ]

    def __str__(self) -> str:
        return self.name
