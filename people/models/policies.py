"""Rules as data: dated, typed, immutable once published, the nearest region first."""

from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Concat, Substr
from django.utils.translation import gettext_lazy as _

from people.models.base import Row, one_of
from people.roles import Scope, ancestors

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from people.models.accounts import User


class PolicyQuerySet(models.QuerySet["Policy"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """Rules are public."""
        return self

    def governing(self, kind: str, region: Any, day: Any) -> Self:
        """Order the policies that reach a region on a day, the governing one first.

        ``region`` and ``day`` may be values or expressions such as ``OuterRef``.
        """
        if isinstance(region, str):
            reach = Q(region_id__in=ancestors(region))
        else:
            # One by one: Django leaves an OuterRef inside a list unresolved.
            reach = Q(region_id=region)
            for width in (2, 4, 6, 9):
                reach |= Q(region_id=Concat(Substr(region, 1, width), Value("0" * (12 - width))))
        return (
            self.filter(reach, kind=kind, effective_from__lte=day)
            .filter(Q(effective_to__isnull=True) | Q(effective_to__gte=day))
            .order_by("-depth", "-effective_from", "-id")
        )


class PolicyKind(models.TextChoices):
    ATTENDANCE = "attendance", _("Attendance")
    CLASS = "class", _("Class")
    ENROLMENT = "enrolment", _("Enrolment")
    EXAM = "exam", _("Exam")
    FOLLOW_UP = "follow_up", _("Follow-up")


class Policy(Row):
    Kind = PolicyKind

    kind = models.CharField(max_length=20, choices=Kind.choices)
    region = models.ForeignKey("people.Region", on_delete=models.PROTECT, related_name="+")
    # How many regions stand above it and itself, so that the nearest one sorts first.
    depth = models.PositiveSmallIntegerField()
    effective_from = models.DateField()
    effective_to = models.DateField(null=True, blank=True)
    values: Any = models.JSONField()
    basis = models.CharField(max_length=200)
    approved_by = models.ForeignKey("people.User", on_delete=models.PROTECT, related_name="+")
    published_at = models.DateTimeField()

    objects = PolicyQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("kind", PolicyKind, "policy_kind_is_known"),
            models.CheckConstraint(
                name="policy_ends_after_it_starts",
                condition=Q(effective_to__isnull=True) | Q(effective_to__gte=F("effective_from")),
            ),
        ]
        indexes = [
            models.Index(name="policy_by_reach", fields=["kind", "region", "effective_from"])
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.region_id} {self.effective_from}"

    @property
    def scope(self) -> Scope:
        return Scope(region_id=self.region_id)
