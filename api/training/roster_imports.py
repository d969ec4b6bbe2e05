"""Rosters handed in as spreadsheets: a job to follow, with a report row by row."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from api.inputs import Form
from api.outputs import RowSerializer
from api.resource import Readable
from people import files, sheets
from people.refusals import WrongStatus
from people.roles import Role
from training import roster_imports
from training.models import RosterImport, TrainingClass
from training.roster_rows import DETAILS, REMARKS

STAFF = [Role.INSTITUTION_ADMIN, Role.OFFICER, Role.AUDITOR]
MAX_REASONS = 10 * sheets.MAX_ROWS


FOLLOW = [
    OpenApiParameter(
        "Location",
        {"type": "string", "maxLength": 200, "pattern": "^/api/v1/roster-imports/[0-9a-f-]{36}$"},
        OpenApiParameter.HEADER,
        description="Where to follow the job.",
        response=[202],
    ),
    OpenApiParameter(
        "Retry-After",
        {"type": "integer", "format": "int32", "minimum": 1, "maximum": 86400},
        OpenApiParameter.HEADER,
        description="Seconds after which to look.",
        response=[202],
    ),
]


class BadRowAnswer(serializers.Serializer[Any]):
    """One reason why one row is bad; what the cell says is not repeated."""

    row = serializers.IntegerField(min_value=1, max_value=1048576)
    column = serializers.CharField(max_length=40, allow_blank=True)
    code = serializers.ChoiceField(choices=list(DETAILS))
    detail = serializers.CharField(max_length=200)


class RemarkAnswer(BadRowAnswer):
    """What of a good row was not taken as it stands."""

    code = serializers.ChoiceField(choices=list(REMARKS))


class RefusalAnswer(serializers.Serializer[Any]):
    code = serializers.ChoiceField(choices=list(roster_imports.REFUSALS))
    title = serializers.CharField(max_length=200)
    facts = serializers.DictField()


class RosterImportSerializer(RowSerializer[RosterImport]):
    refusal = serializers.SerializerMethodField()
    rows_read = serializers.IntegerField(min_value=0, max_value=sheets.MAX_ROWS)
    rows_total = serializers.IntegerField(min_value=0, max_value=sheets.MAX_ROWS, allow_null=True)
    created_count = serializers.IntegerField(min_value=0, max_value=sheets.MAX_ROWS)
    unchanged_count = serializers.IntegerField(min_value=0, max_value=sheets.MAX_ROWS)
    good_count = serializers.IntegerField(min_value=0, max_value=sheets.MAX_ROWS)
    bad_count = serializers.IntegerField(min_value=0, max_value=sheets.MAX_ROWS)

    class Meta:
        model = RosterImport
        fields = [
            "id",
            "training_class_id",
            "file_name",
            "dry_run",
            "on_bad_rows",
            "status",
            "rows_read",
            "rows_total",
            "created_count",
            "unchanged_count",
            "good_count",
            "bad_count",
            "refusal",
            "created_at",
            "finished_at",
        ]

    @extend_schema_field(RefusalAnswer(allow_null=True))
    def get_refusal(self, job: RosterImport) -> dict[str, Any] | None:
        if not job.refusal_code:
            return None
        title = str(roster_imports.REFUSALS[job.refusal_code])
        return {"code": job.refusal_code, "title": title, "facts": job.refusal_facts}


class RosterImportReportSerializer(RosterImportSerializer):
    """The job with every bad row and every remark; a list leaves those out."""

    bad_rows = serializers.SerializerMethodField()
    remarks = serializers.SerializerMethodField()

    class Meta(RosterImportSerializer.Meta):
        fields = [*RosterImportSerializer.Meta.fields, "bad_rows", "remarks"]

    @extend_schema_field(BadRowAnswer(many=True))
    def get_bad_rows(self, job: RosterImport) -> list[dict[str, Any]]:
        return _told(job.bad_rows, DETAILS)

    @extend_schema_field(RemarkAnswer(many=True))
    def get_remarks(self, job: RosterImport) -> list[dict[str, Any]]:
        return _told(job.remarks, REMARKS)


def _told(rows: list[dict[str, Any]], sentences: Mapping[str, Promise]) -> list[dict[str, Any]]:
    details = {code: str(text) for code, text in sentences.items()}
    return [{**row, "detail": details[row["code"]]} for row in rows]


class RosterImportForm(Form):
    file = serializers.FileField(max_length=120)
    dry_run = serializers.BooleanField(default=False)
    on_bad_rows = serializers.ChoiceField(
        choices=RosterImport.OnBadRows.choices, default=RosterImport.OnBadRows.NOTHING
    )


class RosterImports(Readable):
    """Imports of rosters, each a job that runs in the background."""

    tag = "rosters"
    noun = "roster import"
    queryset = RosterImport.objects.select_related("training_class")
    serializer_class = RosterImportReportSerializer
    parser_classes = [MultiPartParser]
    may = {"list": STAFF, "retrieve": STAFF, "create": [Role.INSTITUTION_ADMIN]}
    refuses = {"create": [files.FileTooLarge, WrongStatus]}
    ordering = ("-id",)

    def get_serializer_class(self) -> type[RosterImportSerializer]:
        return RosterImportSerializer if self.action == "list" else RosterImportReportSerializer

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if "class_id" not in self.kwargs:
            return queryset
        training_class = self.parent(TrainingClass.objects, "class_id")
        return queryset.filter(training_class=training_class).defer("bad_rows", "remarks")

    @extend_schema(
        request={"multipart/form-data": RosterImportForm},
        responses={202: RosterImportReportSerializer},
        parameters=FOLLOW,
    )
    def create(self, request: Request, class_id: UUID) -> Response:
        """Hand in a roster as xlsx, xls or csv, at most 5,000 people and 10 MiB.

        Columns in any order: 姓名 and 身份证号, and as far as there are any 性别, 联系电话,
        文化程度, 人员类别, 户籍地, 就业创业证号. Who is on the register already is matched and
        never overwritten. Follow the job, at ``Location``, until ``finished_at`` is set. With
        ``dry_run`` it reports what would happen and changes nothing; ``on_bad_rows`` says whether
        the good rows of a sheet with bad ones come in. A 户籍地 that is not known in the class's
        region is among the ``remarks``. Numbers that are registered under other names are on
        record; more than 20 of people whom the institution does not know refuse the sheet.
        """
        training_class = self.parent(TrainingClass.objects, "class_id")
        asked = self.form(RosterImportForm)
        upload = asked.pop("file")
        if upload.size > files.MAX_BYTES:
            raise files.FileTooLarge(bytes_allowed=files.MAX_BYTES)
        job = roster_imports.request(
            training_class, upload.read(), upload.name, **asked, by=self.user, at=self.at
        )
        response = self.answer(job, 202)
        response["Location"] = reverse("roster-import", args=[job.pk])
        response["Retry-After"] = "1"
        return response

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the imports of a class, the latest first, without their bad rows."""
        return super().list(request, *args, **kwargs)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show how far an import is, and every bad row once it is done."""
        return super().retrieve(request, *args, **kwargs)
