"""Who may do what, where: roles are given per organisation and count only there.

A bureau's role reaches the subtree of its organisation's region. ``Scope`` says whose a row is;
``Grant`` says what a person was given. Nothing adds up across organisations.
"""

from dataclasses import dataclass
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    TRAINEE = "trainee", _("Trainee")
    TRAINER = "trainer", _("Trainer")
    INSTITUTION_ADMIN = "institution_admin", _("Institution administrator")
    INCUBATOR_MANAGER = "incubator_manager", _("Incubator manager")
    FOUNDER = "founder", _("Founder")
    OFFICER = "officer", _("Bureau officer")
    AUDITOR = "auditor", _("Auditor")
    SYSTEM_ADMIN = "system_admin", _("System administrator")


# Everyone with an account is a trainee of their own records; it is never given by a membership.
GIVEN_ROLES = [choice for choice in Role.choices if choice[0] != Role.TRAINEE]
BY_REGION = frozenset({Role.OFFICER, Role.AUDITOR})


@dataclass(frozen=True)
class Grant:
    """One membership, as authorisation needs it."""

    role: Role
    organisation_id: UUID
    region_id: str


@dataclass(frozen=True)
class Scope:
    """Whose row this is. An empty member matches nobody.

    ``trainer_user_ids`` narrows a trainer to own classes; with ``None`` the organisation decides.
    """

    organisation_ids: frozenset[UUID] = frozenset()
    region_id: str = ""
    person_id: UUID | None = None
    trainer_user_ids: frozenset[UUID] | None = None


def subtree(code: str) -> tuple[str, str]:
    """Bound a region's subtree: codes ``low <= code < high``.

    The 12 digits of a statistical division code are province 2, city 2, county 2, township 3,
    village 3 (GB/T 2260, GB/T 10114); trailing zero groups mean the whole of the level above.
    """
    for width in (2, 4, 6, 9):
        if not code[width:].strip("0"):
            prefix = code[:width]
            return code, str(int(prefix) + 1).zfill(width).ljust(12, "0")
    return code, str(int(code) + 1).zfill(12)


def covers(region_id: str, other: str) -> bool:
    """Tell whether the second region is the first one or lies inside it."""
    low, high = subtree(region_id)
    return low <= other < high


def ancestors(code: str) -> list[str]:
    """List the region itself and every region above it, nearest first."""
    wider = [code[:width].ljust(12, "0") for width in (9, 6, 4, 2)]
    return list(dict.fromkeys([code, *wider]))
