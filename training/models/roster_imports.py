"""Rosters that institutions send as spreadsheets: jobs with their progress and report."""

from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from people.models.base import Row, one_of
from people.roles import Role, Scope
from training.models.classes import TrainingClass

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from people.models import User


class RosterImportQuerySet(models.QuerySet["RosterImport"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """The institution's own and the region's."""
        if user.is_anonymous:
            return self.none()
        return self.filter(
            Q(training_class__institution__in=user.organisation_ids(Role.INSTITUTION_ADMIN))
            | user.in_region("training_class__region_id")
        )


class RosterImportStatus(models.TextChoices):
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    REFUSED = "refused", _("Refused")
    CRASHED = "crashed", _("Broken off")


class RosterImportOnBadRows(models.TextChoices):
    NOTHING = "nothing", _("Import nothing")
    GOOD_ROWS = "good_rows", _("Import the good rows")


class RosterImport(Row):
    Status = RosterImportStatus
    OnBadRows = RosterImportOnBadRows

    training_class = models.ForeignKey(
        TrainingClass, on_delete=models.PROTECT, related_name="roster_imports"
    )
    dry_run = models.BooleanField()
    on_bad_rows = models.CharField(max_length=10, choices=OnBadRows.choices)
    file_name = models.CharField(max_length=120)
    path = models.CharField(max_length=120)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.QUEUED)
    rows_read = models.PositiveIntegerField(default=0)
    rows_total = models.PositiveIntegerField(null=True)
    created_count = models.PositiveIntegerField(default=0)
    unchanged_count = models.PositiveIntegerField(default=0)
    # [{"row": 7, "column": "身份证号", "code": "wrong_check_digit"}, …]: never what the cell says.
    bad_rows: Any = models.JSONField(default=list)
    # What was read otherwise than it stands there, in the same shape; those rows are good.
    remarks: Any = models.JSONField(default=list)
    # How many rows had nothing wrong, whether or not they came in.
    good_count = models.PositiveIntegerField(default=0)
    # How many rows are bad; one row can be bad for several reasons.
    bad_count = models.PositiveIntegerField(default=0)
    # Why the whole sheet was refused, if it was.
    refusal_code = models.CharField(max_length=40, blank=True)
    refusal_facts: Any = models.JSONField(default=dict)
    created_by = models.ForeignKey("people.User", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    objects = RosterImportQuerySet.as_manager()

    class Meta:
        constraints = [one_of("status", RosterImportStatus, "roster_import_status_is_known")]
        indexes = [models.Index(name="roster_import_by_class", fields=["training_class", "id"])]

    def __str__(self) -> str:
        return self.file_name

    @property
    def scope(self) -> Scope:
        return Scope(
            organisation_ids=frozenset({self.training_class.institution_id}),
            region_id=self.training_class.region_id,
        )
