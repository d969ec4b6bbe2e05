"""Who the caller is, and any number of counts, in one statement."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Model, PositiveIntegerField, QuerySet, Subquery
from rest_framework import serializers

from api.masked import MaskedPersonSerializer
from api.permits import permits
from people import identifiers
from people.models import Notice, User
from people.roles import GIVEN_ROLES, Role

# Beyond this the first screen says "many"; and nobody waits for a count of a million.
COUNTED = 100

COLUMNS = (
    "phone",
    "created_at",
    "person__id",
    "person__name",
    "person__id_number_masked",
    "person__phone_masked",
    "memberships__id",
    "memberships__role",
    "memberships__organisation_id",
    "memberships__organisation__name",
)


class Count(Subquery):
    """How many rows there are, up to ``COUNTED``: a scalar in the SELECT of another statement."""

    template = "(SELECT count(*) FROM (%(subquery)s) AS counted)"
    output_field = PositiveIntegerField()

    def __init__(self, rows: QuerySet[Any]) -> None:
        super().__init__(rows.order_by().values("pk")[:COUNTED])


class UserAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    phone_masked = serializers.CharField(max_length=11)
    created_at = serializers.DateTimeField()


class HeldAnswer(serializers.Serializer[Any]):
    """A role in an organisation; ``permits`` are the operationIds of the document it opens."""

    id = serializers.UUIDField()
    role = serializers.ChoiceField(GIVEN_ROLES)
    organisation_id = serializers.UUIDField()
    organisation_name = serializers.CharField(max_length=120)
    permits = serializers.ListField(child=serializers.CharField(max_length=80), max_length=500)


class ProfileAnswer(serializers.Serializer[Any]):
    user = UserAnswer()
    person = MaskedPersonSerializer(allow_null=True)
    memberships = HeldAnswer(many=True)


def profile(user: User, counted: Mapping[str, QuerySet[Model]]) -> tuple[Any, dict[str, int]]:
    """Read the account, its person, its memberships, and the counts; unread notices among them.

    The counts do not depend on the row, so the database computes each of them once, however many
    memberships there are.
    """
    wanted = {"unread": Notice.objects.visible_to(user).unread(), **counted}
    counts = {f"count_{name}": Count(rows) for name, rows in wanted.items()}
    rows = list(
        User.objects.filter(pk=user.pk)
        .annotate(**counts)
        .order_by("memberships__id")
        .values(*COLUMNS, *counts)
    )
    first = rows[0]
    shown = {
        "user": {
            "id": user.pk,
            "phone_masked": identifiers.mask_phone(first["phone"]),
            "created_at": first["created_at"],
        },
        "person": _person(first),
        "memberships": [_held(row) for row in rows if row["memberships__id"]],
    }
    return shown, {name: first[f"count_{name}"] or 0 for name in wanted}


def _person(row: dict[str, Any]) -> dict[str, Any] | None:
    if row["person__id"] is None:
        return None
    return {name: row[f"person__{name}"] for name in MaskedPersonSerializer.Meta.fields}


def _held(row: dict[str, Any]) -> dict[str, Any]:
    role = Role(row["memberships__role"])
    return {
        "id": row["memberships__id"],
        "role": role,
        "organisation_id": row["memberships__organisation_id"],
        "organisation_name": row["memberships__organisation__name"],
        "permits": permits(role),
    }
