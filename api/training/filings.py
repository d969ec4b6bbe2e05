"""The rosters with which a class was filed, as they were then."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from api.outputs import RowSerializer
from api.resource import Listed
from people.roles import Role
from training.models import ClassFiling, TrainingClass


class FiledTraineeSerializer(serializers.Serializer[Any]):
    enrolment_id = serializers.UUIDField()
    person_id = serializers.UUIDField()
    name = serializers.CharField(max_length=60)
    id_number_masked = serializers.CharField(max_length=18)


class FilingSerializer(RowSerializer[ClassFiling]):
    """``sha256`` is of the roster as canonical JSON: sorted members, no spaces, UTF-8."""

    roster = FiledTraineeSerializer(many=True)

    class Meta:
        model = ClassFiling
        fields = [
            "id",
            "training_class_id",
            "number",
            "roster",
            "sha256",
            "filed_by_id",
            "filed_at",
        ]
        extra_kwargs = {"number": {"min_value": 1, "max_value": 32767}}


class ClassFilings(Listed):
    """The frozen rosters of one class, one for each time that it was filed."""

    tag = "classes"
    noun = "filing"
    queryset = ClassFiling.objects.all()
    serializer_class = FilingSerializer
    ordering = ("number", "id")
    may = {"list": [Role.INSTITUTION_ADMIN, Role.OFFICER, Role.AUDITOR]}

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(training_class=self.parent(TrainingClass.objects, "class_id"))
