"""Accounts, what they were given per organisation, and the devices that are signed in."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.db.models import Q
from django.utils.functional import cached_property

from people.crypto import EncryptedTextField
from people.models.base import Row
from people.roles import BY_REGION, GIVEN_ROLES, Grant, Role, Scope, covers, subtree

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

NOTHING = Q(pk__in=[])


class User(AbstractBaseUser, Row):
    """Someone who can sign in, by phone. Their person, once known, is on the register."""

    phone = EncryptedTextField()
    phone_index = models.CharField(max_length=64, unique=True)
    person = models.OneToOneField(
        "people.Person", null=True, blank=True, on_delete=models.PROTECT, related_name="user"
    )
    is_active = models.BooleanField(default=True)
    # Guesses since the window began, from wherever; counted before the password is looked at.
    password_tries = models.PositiveSmallIntegerField(default=0)
    password_tries_from = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    last_login = None  # sessions tell, per device

    USERNAME_FIELD = "phone_index"

    def __str__(self) -> str:
        return str(self.pk)

    @cached_property
    def grants(self) -> tuple[Grant, ...]:
        """What the account was given; the token look-up fills this without a second query."""
        rows = self.memberships.values_list(
            "role", "organisation_id", "organisation__region_id"
        ).order_by("id")
        return tuple(Grant(Role(role), organisation, region) for role, organisation, region in rows)

    @property
    def roles(self) -> frozenset[Role]:
        """Every role held anywhere; whether it counts for a row is ``may_on``'s question."""
        return frozenset({Role.TRAINEE, *(grant.role for grant in self.grants)})

    def organisation_ids(self, *roles: Role) -> list[UUID]:
        """List the organisations in which the account has one of the roles (any, if none given)."""
        return [g.organisation_id for g in self.grants if not roles or g.role in roles]

    def in_region(self, column: str, *roles: Role) -> Q:
        """Match rows whose region column lies in a subtree that a bureau role reaches."""
        reach = NOTHING
        for grant in self.grants:
            if grant.role in BY_REGION and (not roles or grant.role in roles):
                low, high = subtree(grant.region_id)
                reach |= Q(**{f"{column}__gte": low, f"{column}__lt": high})
        return reach

    def bureau_id(self, region_id: str) -> UUID | None:
        """Name the bureau for which the account is an officer of the region."""
        offices = (grant for grant in self.grants if grant.role == Role.OFFICER)
        return next((g.organisation_id for g in offices if covers(g.region_id, region_id)), None)

    def may_on(self, roles: Collection[Role], scope: Scope) -> bool:
        """Tell whether one of the roles is held for that row: there, not just anywhere."""
        if Role.TRAINEE in roles and self.person_id and scope.person_id == self.person_id:
            return True
        return any(grant.role in roles and self._reaches(grant, scope) for grant in self.grants)

    def _reaches(self, grant: Grant, scope: Scope) -> bool:
        if grant.role == Role.SYSTEM_ADMIN:
            # Accounts and settings everywhere; no door to personal data lists the role.
            return True
        if grant.role in BY_REGION:
            return bool(scope.region_id) and covers(grant.region_id, scope.region_id)
        if grant.organisation_id not in scope.organisation_ids:
            return False
        own_classes = scope.trainer_user_ids
        return grant.role != Role.TRAINER or own_classes is None or self.pk in own_classes


class MembershipQuerySet(models.QuerySet["Membership"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """One's own, those of organisations one administers, those of one's region.

        The system administrator sees all.
        """
        if user.is_anonymous:
            return self.none()
        if Role.SYSTEM_ADMIN in user.roles:
            return self.all()
        return self.filter(
            Q(user=user)
            | Q(
                organisation_id__in=user.organisation_ids(
                    Role.INSTITUTION_ADMIN, Role.INCUBATOR_MANAGER
                )
            )
            | user.in_region("organisation__region_id")
        )


class Membership(Row):
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    organisation = models.ForeignKey(
        "people.Organisation", on_delete=models.PROTECT, related_name="memberships"
    )
    role = models.CharField(max_length=20, choices=GIVEN_ROLES)
    created_at = models.DateTimeField()

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="membership_once_per_role", fields=["user", "organisation", "role"]
            ),
            models.CheckConstraint(
                name="membership_role_is_known",
                condition=Q(role__in=[value for value, _ in GIVEN_ROLES]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role}@{self.organisation_id}"

    @property
    def scope(self) -> Scope:
        return self.organisation.scope


class SignInCode(Row):
    """A one-time code sent to a phone; ``id`` is the challenge."""

    phone = EncryptedTextField()
    phone_index = models.CharField(max_length=64)
    # Who asked for it; empty where nobody counts.
    address_index = models.CharField(max_length=64, blank=True)
    code_hash = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(name="code_by_phone", fields=["phone_index", "created_at"]),
            models.Index(name="code_by_address", fields=["address_index", "created_at"]),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class PasswordTries(Row):
    """How often one address guessed the password of one account since its window began."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    address_index = models.CharField(max_length=64)
    count = models.PositiveSmallIntegerField(default=0)
    since = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="tries_once_per_address", fields=["user", "address_index"]
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class DeviceSessionQuerySet(models.QuerySet["DeviceSession"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """One's own devices that are signed in."""
        return self.none() if user.is_anonymous else self.filter(user=user, revoked_at=None)


class DeviceSession(Row):
    """One signed-in device: a family of rotating tokens, only their hashes stored."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    device_id = models.CharField(max_length=64)
    platform = models.CharField(max_length=32)
    name = models.CharField(max_length=80)
    access_hash = models.CharField(max_length=64, unique=True)
    access_expires_at = models.DateTimeField()
    refresh_hash = models.CharField(max_length=64, unique=True)
    refresh_expires_at = models.DateTimeField()
    previous_refresh_hash = models.CharField(max_length=64, blank=True, db_index=True)
    refreshed_at = models.DateTimeField()
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    objects = DeviceSessionQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(name="session_by_user", fields=["user", "id"])]

    def __str__(self) -> str:
        return self.name
