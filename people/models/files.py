"""Stored files: private bytes that are read only through an object that the caller can see."""

from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from people.models.base import Row, one_of
from people.roles import Scope

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from people.models.accounts import User


class StoredFileQuerySet(models.QuerySet["StoredFile"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """Whoever uploaded it; others reach it through the object it is attached to."""
        return self.none() if user.is_anonymous else self.filter(uploaded_by=user)


class StoredFilePurpose(models.TextChoices):
    EVIDENCE = "evidence", _("Evidence")
    ATTENDANCE_PHOTO = "attendance_photo", _("Attendance photo")
    ROSTER = "roster", _("Roster")
    DOCUMENT = "document", _("Document")


class StoredFile(Row):
    Purpose = StoredFilePurpose

    purpose = models.CharField(max_length=20, choices=Purpose.choices)
    media_type = models.CharField(max_length=100)
    name = models.CharField(max_length=120)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    path = models.CharField(max_length=120)
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    # [{"name": "w160", "path", "width", "height", "size"}, …]
    variants: Any = models.JSONField(default=list)
    uploaded_by = models.ForeignKey("people.User", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    objects = StoredFileQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("purpose", StoredFilePurpose, "file_purpose_is_known"),
            models.UniqueConstraint(
                name="file_once_per_uploader", fields=["uploaded_by", "purpose", "sha256"]
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def scope(self) -> Scope:
        return Scope(person_id=self.uploaded_by.person_id)


class UploadSessionQuerySet(models.QuerySet["UploadSession"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """Whoever opened it."""
        return self.none() if user.is_anonymous else self.filter(uploaded_by=user)


class UploadSession(Row):
    """A file that arrives in parts over a bad network."""

    purpose = models.CharField(max_length=20, choices=StoredFile.Purpose.choices)
    name = models.CharField(max_length=120)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    part_size = models.PositiveIntegerField()
    # [{"number": 0, "path"}, …] in the order of numbers; empty again once they are one file.
    parts: Any = models.JSONField(default=list)
    uploaded_by = models.ForeignKey("people.User", on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    file = models.ForeignKey(StoredFile, null=True, on_delete=models.SET_NULL, related_name="+")

    objects = UploadSessionQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    @property
    def parts_count(self) -> int:
        """How many parts the file has: all of one size but for the last."""
        return -(-self.size // self.part_size)

    @property
    def received_parts(self) -> list[int]:
        """The numbers of the parts that have arrived."""
        if self.file_id:
            return list(range(self.parts_count))
        return [part["number"] for part in self.parts]
