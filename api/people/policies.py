"""Policies: numbers a bureau sets, their schemas, and which version governs where and when."""

from datetime import date
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as translate
from django.utils.translation import gettext_lazy as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import (
    OpenApiExample,
    extend_schema,
    extend_schema_serializer,
)
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from api.access import ANYONE
from api.filters import RegionFilter
from api.inputs import Form, wrong
from api.outputs import RowSerializer
from api.problems import bad_parameter
from api.resource import Readable, Resource
from people import policies
from people.days import local_day
from people.models import Policy, Region
from people.roles import Role, Scope


class PolicySerializer(RowSerializer[Policy]):
    values = serializers.DictField()

    class Meta:
        model = Policy
        fields = [
            "id",
            "kind",
            "region_id",
            "effective_from",
            "effective_to",
            "values",
            "basis",
            "approved_by_id",
            "published_at",
        ]


class PolicyFilters(filters.FilterSet):
    kind = filters.ChoiceFilter(choices=Policy.Kind.choices)
    region = RegionFilter(field_name="region_id")
    on = filters.DateFilter(method="in_force", label=_("Policies in force on this day."))

    class Meta:
        model = Policy
        fields: list[str] = []

    def in_force(self, rows: QuerySet[Policy], _name: str, day: date) -> QuerySet[Policy]:
        open_ended = Q(effective_to__isnull=True)
        return rows.filter(open_ended | Q(effective_to__gte=day), effective_from__lte=day)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Attendance",
            {
                "kind": "attendance",
                "region_id": "330100000000",
                "effective_from": "2026-03-02",
                "values": {"required_rate": "0.80", "late_grace_minutes": 10},
                "basis": "示例文件2026年第1号",
            },
            request_only=True,
        ),
    ]
)
class PolicyForm(Form):
    """``values`` follow the schema of the kind; what is left out takes its default."""

    kind = serializers.ChoiceField(Policy.Kind.choices)
    region_id = serializers.RegexField(r"^[0-9]{12}$", max_length=12)
    effective_from = serializers.DateField()
    effective_to = serializers.DateField(required=False, allow_null=True)
    values = serializers.DictField()
    basis = serializers.CharField(max_length=200)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        ends = attrs.get("effective_to")
        if ends and ends < attrs["effective_from"]:
            raise wrong("effective_to", "invalid", _("It ends before it begins."))
        try:
            policies.parse(policies.SCHEMAS[attrs["kind"]], attrs["values"])
        except policies.BadPolicyValues as refusal:
            sentence = str(_("Unknown, of a wrong type, or out of bounds."))
            misfit = [serializers.ErrorDetail(sentence, code="invalid")]
            raise serializers.ValidationError(
                {"values": {name[:60]: misfit for name in refusal.facts["members"]}}
            ) from refusal
        return attrs


class Policies(Readable):
    """Published versions; a change is a new version and rewrites no history."""

    tag = "policies"
    noun = "policy"
    queryset = Policy.objects.all()
    serializer_class = PolicySerializer
    filterset_class = PolicyFilters
    may = {"list": ANYONE, "retrieve": ANYONE, "create": [Role.OFFICER]}
    refuses = {"create": [policies.PolicyInThePast]}
    ordering = ("-id",)

    @extend_schema(request=PolicyForm, responses={201: PolicySerializer})
    def create(self, request: Request) -> Response:
        """Publish a version for a region of the officer's own subtree.

        It can be followed by another version, never changed.
        """
        asked = self.form(PolicyForm)
        region = self.visible(Region, asked["region_id"], "region_id")
        if not self.user.may_on([Role.OFFICER], Scope(region_id=region.pk)):
            raise PermissionDenied
        policy = policies.publish(
            asked["kind"],
            region,
            asked["values"],
            effective_from=asked["effective_from"],
            effective_to=asked.get("effective_to"),
            basis=asked["basis"],
            by=self.user,
            at=self.at,
        )
        return self.answer(policy, 201)


class InForceAnswer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(Policy.Kind.choices)
    region_id = serializers.CharField(max_length=12)
    on = serializers.DateField()
    values = serializers.DictField()
    policy_id = serializers.UUIDField(allow_null=True)


class PolicyInForce(Resource):
    """What governs a region on a day."""

    tag = "policies"
    noun = "policy in force"
    queryset = Policy.objects.all()
    may = {"retrieve": ANYONE}
    parameters = {
        "retrieve": {
            "kind": {"type": "string", "enum": Policy.Kind.values},
            "region": {"type": "string", "maxLength": 12, "pattern": "^[0-9]{12}$"},
            "on": {"type": "string", "format": "date", "description": "Today by itself."},
        }
    }

    @extend_schema(responses={200: InForceAnswer})
    def retrieve(self, request: Request) -> Response:
        """Show the values that govern: nearest region first, then the latest version.

        `policy_id` is null where no bureau published anything and the defaults hold. Without
        `on`, today.
        """
        schema = policies.SCHEMAS.get(request.query_params.get("kind", ""))
        if schema is None:
            raise bad_parameter("kind", "invalid", translate("One of the policy kinds."))
        region, day = self._region(), self._day()
        found = policies.governing(schema, region, day)
        return Response(
            {
                "kind": schema.kind,
                "region_id": region,
                "on": day,
                "values": policies.dump(found.rules),
                "policy_id": found.policy_id,
            }
        )

    def _region(self) -> str:
        region = Region.objects.filter(pk=self.request.query_params.get("region", "")).first()
        if region is None:
            raise bad_parameter("region", "does_not_exist", translate("A known region code."))
        return region.pk

    def _day(self) -> date:
        given = self.request.query_params.get("on")
        try:
            return date.fromisoformat(given) if given else local_day(self.at)
        except ValueError:
            raise bad_parameter("on", "invalid", translate("A day: YYYY-MM-DD.")) from None


class PolicyMemberAnswer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=60)
    default = serializers.JSONField()
    low = serializers.CharField(max_length=20, allow_null=True)
    high = serializers.CharField(max_length=20, allow_null=True)
    unit = serializers.CharField(max_length=120)


class PolicyKindAnswer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(Policy.Kind.choices)
    label = serializers.CharField(max_length=60)  # type: ignore[assignment]
    members = PolicyMemberAnswer(many=True)


class PolicyKindsAnswer(serializers.Serializer[Any]):
    results = PolicyKindAnswer(many=True)


class PolicyKinds(Resource):
    """The schemas of the policies."""

    tag = "policies"
    noun = "policy kind"
    queryset = Policy.objects.all()
    may = {"retrieve": ANYONE}
    public_seconds = 3600

    @extend_schema(responses={200: PolicyKindsAnswer})
    def retrieve(self, request: Request) -> Response:
        """Show every kind with its members: default, bounds and unit. No default is law."""
        kinds = [
            {
                "kind": kind,
                "label": Policy.Kind(kind).label,
                "members": policies.describe(schema),
            }
            for kind, schema in policies.SCHEMAS.items()
        ]
        return Response({"results": kinds})
