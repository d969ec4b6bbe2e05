"""The roster of a class as a spreadsheet."""

from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as translate
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from api.downloads import SPREADSHEET, attachment
from api.pagination import read_flag
from api.problems import bad_parameter
from api.resource import Resource
from people.roles import Role
from training import rosters
from training.models import TrainingClass

MAX_PURPOSE = 200


class Rosters(Resource):
    """Rosters on their way out."""

    tag = "rosters"
    noun = "roster"
    queryset = TrainingClass.objects.all()
    may = {"sheet": [Role.INSTITUTION_ADMIN, Role.OFFICER]}
    refuses = {"sheet": [rosters.PurposeRequired]}
    parameters = {"sheet": ["full", "purpose"]}

    @extend_schema(
        parameters=[
            OpenApiParameter("full", bool, description="Unmask numbers and phones."),
            OpenApiParameter(
                "purpose",
                {"type": "string", "minLength": 1, "maxLength": MAX_PURPOSE},
                description="What the full numbers are needed for; it is kept on record.",
            ),
        ],
        responses={(200, SPREADSHEET): OpenApiTypes.BINARY},
    )
    def sheet(self, request: Request, class_id: UUID) -> HttpResponse:
        """Take the roster as a workbook.

        Numbers and phones are masked unless ``full`` is true, which needs a purpose. Who took it,
        and what for, is on record. A full one can be imported again.
        """
        training_class = self.parent(TrainingClass.objects, "class_id")
        full = read_flag(request, "full")
        purpose = request.query_params.get("purpose", "")
        if len(purpose) > MAX_PURPOSE:
            raise bad_parameter("purpose", "max_length", translate("This text is too long."))
        content = rosters.export(
            training_class, full=full, purpose=purpose.strip(), by=self.user, at=self.at
        )
        return attachment(content, SPREADSHEET, "roster.xlsx")
