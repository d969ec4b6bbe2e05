"""What the caller should be told, in the caller's language."""

from uuid import UUID

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.access import SIGNED_IN
from api.filters import FlagFilter
from api.inputs import NoBody
from api.outputs import RowSerializer
from api.resource import Listed
from people import notices
from people.models import Notice


class NoticeSerializer(RowSerializer[Notice]):
    sentence = serializers.SerializerMethodField()
    facts = serializers.DictField(read_only=True)

    class Meta:
        model = Notice
        fields = ["id", "code", "sentence", "facts", "object_id", "created_at", "read_at"]

    def get_sentence(self, notice: Notice) -> str:
        return notices.sentence(notice.code, notice.facts)


class NoticeFilters(filters.FilterSet):
    unread = FlagFilter(field_name="read_at", lookup_expr="isnull")

    class Meta:
        model = Notice
        fields: list[str] = []


class Notices(Listed):
    """One's own notices, the newest first."""

    tag = "notices"
    noun = "notice"
    queryset: QuerySet[Notice] = Notice.objects.all()
    serializer_class = NoticeSerializer
    filterset_class = NoticeFilters
    may = {"list": SIGNED_IN, "read": SIGNED_IN}
    ordering = ("-id",)

    @extend_schema(request=NoBody, responses={200: NoticeSerializer})
    def read(self, request: Request, pk: UUID) -> Response:
        """Mark a notice as read; the first time counts."""
        self.form(NoBody)
        return self.answer(notices.read(self.get_object(), by=self.user, at=self.at))
