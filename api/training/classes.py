"""Training classes: what the public can join, and how an institution and its bureau move them."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as translate
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.access import ANYONE
from api.inputs import Form, NoBody, ReasonForm
from api.outputs import RowSerializer
from api.problems import bad_member
from api.resource import Readable
from api.training.class_filters import ClassFilters
from api.training.ownership import for_staff, institution_named
from api.training.programmes import ProgrammeSerializer
from api.training.venues import VenueSerializer
from people.days import local_day
from people.models import Organisation, Region
from people.refusals import WrongStatus
from people.roles import Role
from training import accreditations, bookings, classes, filings, independence
from training.models import ClassSession, Programme, TrainingClass, Venue

SEATS = {"min_value": 1, "max_value": 500}


class InstitutionCardSerializer(RowSerializer[Organisation]):
    """What everybody may know of an institution."""

    class Meta:
        model = Organisation
        fields = ["id", "name", "region_id", "address"]


class ClassSerializer(RowSerializer[TrainingClass]):
    expandable = {
        "institution": InstitutionCardSerializer,
        "programme": ProgrammeSerializer,
        "venue": VenueSerializer,
    }
    unversioned = frozenset({"distance_km"})

    planned_minutes = serializers.IntegerField(read_only=True, min_value=0, max_value=2147483647)
    # Why it was returned, suspended or cancelled last: for those who work on it.
    reason = serializers.SerializerMethodField()
    # From the position given as `near`, else null.
    distance_km = serializers.SerializerMethodField()

    class Meta:
        model = TrainingClass
        fields = [
            "id",
            "institution_id",
            "programme_id",
            "region_id",
            "venue_id",
            "name",
            "description",
            "status",
            "admission",
            "seats",
            "seats_taken",
            "enrolment_opens_on",
            "enrolment_closes_on",
            "starts_on",
            "ends_on",
            "planned_minutes",
            "published_at",
            "filed_at",
            "approved_at",
            "started_at",
            "closed_at",
            "reason",
            "distance_km",
        ]
        extra_kwargs = {"seats": SEATS, "seats_taken": {"min_value": 0, "max_value": 500}}

    def get_reason(self, training_class: TrainingClass) -> str:
        return for_staff(self, training_class.scope, training_class.reason)

    def get_distance_km(self, training_class: TrainingClass) -> float | None:
        distance = getattr(training_class, "distance_km", None)
        return None if distance is None else round(distance, 1)


class ClassChanges(Form):
    """Whatever is given changes; seats may not fall below those taken."""

    name = serializers.CharField(max_length=120, required=False)
    venue_id = serializers.UUIDField(required=False, allow_null=True)
    seats = serializers.IntegerField(min_value=1, max_value=500, required=False)
    admission = serializers.ChoiceField(choices=TrainingClass.Admission.choices, required=False)
    enrolment_opens_on = serializers.DateField(required=False)
    enrolment_closes_on = serializers.DateField(required=False)
    starts_on = serializers.DateField(required=False)
    ends_on = serializers.DateField(required=False)
    description = serializers.CharField(max_length=2000, required=False, allow_blank=True)


class ClassForm(ClassChanges):
    """Enrolment opens today and closes on the first day, unless told otherwise."""

    id = serializers.UUIDField(required=False)
    institution_id = serializers.UUIDField(required=False)
    programme_id = serializers.UUIDField()
    region_id = serializers.RegexField(r"^[0-9]{12}$", max_length=12, required=False)
    name = serializers.CharField(max_length=120)
    seats = serializers.IntegerField(min_value=1, max_value=500)
    starts_on = serializers.DateField()
    ends_on = serializers.DateField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs.setdefault("enrolment_closes_on", attrs["starts_on"])
        attrs.setdefault(
            "enrolment_opens_on", min(self.context["today"], attrs["enrolment_closes_on"])
        )
        pairs = (
            ("starts_on", "ends_on"),
            ("enrolment_opens_on", "enrolment_closes_on"),
            ("enrolment_closes_on", "ends_on"),
        )
        for earlier, later in pairs:
            if attrs[earlier] > attrs[later]:
                text = str(_("The dates are not in order."))
                detail = serializers.ErrorDetail(text, "dates_out_of_order")
                raise serializers.ValidationError({later: [detail]})
        return attrs


PLANNED_MINUTES = (
    ClassSession.objects.planned()
    .filter(training_class=OuterRef("pk"))
    .order_by()
    .values("training_class")
    .annotate(total=Sum("planned_minutes"))
    .values("total")
)
INSTITUTION, BUREAU = [Role.INSTITUTION_ADMIN], [Role.OFFICER]
INDEPENDENT = [WrongStatus, independence.OwnInstitution, independence.OwnRequest]
PLAN = [classes.DatesOutOfOrder, bookings.NotAvailable]
FITNESS = [accreditations.NotAccredited, classes.TooManySeats]


class Classes(Readable):
    """Training classes; published ones are public."""

    tag = "classes"
    noun = "class"
    queryset = TrainingClass.objects.annotate(
        planned_minutes=Coalesce(Subquery(PLANNED_MINUTES), 0)
    )
    serializer_class = ClassSerializer
    filterset_class = ClassFilters
    public_seconds = 60
    ordering = ("starts_on", "id")
    may = {
        "list": ANYONE,
        "retrieve": ANYONE,
        "create": INSTITUTION,
        "partial_update": INSTITUTION,
        "publish": INSTITUTION,
        "file": INSTITUTION,
        "send_back": BUREAU,
        "approve": BUREAU,
        "start": INSTITUTION,
        "suspend": [*INSTITUTION, *BUREAU],
        "resume": [*INSTITUTION, *BUREAU],
        "cancel": INSTITUTION,
    }
    refuses = {
        "create": PLAN,
        "partial_update": [
            WrongStatus,
            *PLAN,
            classes.SessionsOutsideDays,
            classes.SeatsAreTaken,
            *FITNESS,
        ],
        "publish": [WrongStatus, *FITNESS],
        "file": [
            WrongStatus,
            accreditations.NotAccredited,
            filings.TooFewHours,
            filings.SessionsIncomplete,
            filings.TooFewAdmitted,
            filings.LeadDaysMissing,
        ],
        "send_back": INDEPENDENT,
        "approve": INDEPENDENT,
        "start": [WrongStatus, classes.TooEarlyToStart],
        "suspend": [WrongStatus],
        "resume": [WrongStatus],
        "cancel": [WrongStatus],
    }

    def get_serializer_context(self) -> dict[str, Any]:
        return super().get_serializer_context() | {"today": local_day(self.at)}

    @extend_schema(request=ClassForm, responses={201: ClassSerializer})
    def create(self, request: Request) -> Response:
        """Draft a class of one's own institution.

        The institution needs to be named only by someone who administers several; the region is
        the institution's unless another one in its county or inside its region is given, and
        decides which bureau approves. A venue has to be the institution's own.
        """
        asked = self.form(ClassForm)
        institution = institution_named(self, asked.pop("institution_id", None))
        programme = self.visible(Programme, asked.pop("programme_id"), "programme_id")
        asked["region"] = self._find_region(institution, asked.pop("region_id", None))
        self._find_venue(asked)
        planned = classes.plan(institution, programme, **asked, by=self.user, at=self.at)
        return self.answer(planned, 201)

    @extend_schema(request=ClassChanges, responses={200: ClassSerializer})
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Change the plan, while it is a draft, enrolling or returned.

        New seats are offered to those who wait at once. A venue has to be the institution's own.
        """
        training_class = self.get_object()
        self.check_version(training_class)
        asked = self.form(ClassChanges)
        self._find_venue(asked)
        return self.answer(classes.amend(training_class, **asked, by=self.user, at=self.at))

    def _find_region(self, institution: Organisation, region_id: str | None) -> Region:
        region: Region = self.visible(Region, region_id or institution.region_id, "region_id")
        if not classes.may_teach_in(institution, region.pk):
            detail = translate("A class is held in the institution's own county or region.")
            raise bad_member("region_id", "outside_institution_region", detail)
        return region

    def _find_venue(self, asked: dict[str, Any]) -> None:
        venue_id = asked.pop("venue_id", ...)
        if venue_id is not ...:
            asked["venue"] = venue_id and self.visible(Venue, venue_id, "venue_id")

    def _move(self, verb: Callable[..., object], form: type[Form]) -> Response:
        asked = self.form(form)
        training_class = self.get_object()
        verb(training_class, **asked, by=self.user, at=self.at)
        return self.answer(training_class)

    @extend_schema(request=NoBody, responses={200: ClassSerializer})
    def publish(self, request: Request, pk: UUID) -> Response:
        """Open a draft to the public; an accreditation has to cover all its days."""
        return self._move(classes.publish, NoBody)

    @extend_schema(request=NoBody, responses={200: ClassSerializer})
    def file(self, request: Request, pk: UUID) -> Response:
        """Ask the bureau to let the class run.

        Freezes the roster of those admitted, versioned and hashed.
        """
        return self._move(classes.file, NoBody)

    @extend_schema(request=ReasonForm, responses={200: ClassSerializer})
    def send_back(self, request: Request, pk: UUID) -> Response:
        """Return a filed class to its institution, saying why.

        Seats that came free while it was filed are offered to the waiting list.
        """
        return self._move(classes.send_back, ReasonForm)

    @extend_schema(request=NoBody, responses={200: ClassSerializer})
    def approve(self, request: Request, pk: UUID) -> Response:
        """Let a filed class run; by an officer of the region outside of the institution."""
        return self._move(classes.approve, NoBody)

    @extend_schema(request=NoBody, responses={200: ClassSerializer})
    def start(self, request: Request, pk: UUID) -> Response:
        """Begin teaching, on the first day or after it."""
        return self._move(classes.start, NoBody)

    @extend_schema(request=ReasonForm, responses={200: ClassSerializer})
    def suspend(self, request: Request, pk: UUID) -> Response:
        """Interrupt a class that runs, saying why."""
        return self._move(classes.suspend, ReasonForm)

    @extend_schema(request=ReasonForm, responses={200: ClassSerializer})
    def resume(self, request: Request, pk: UUID) -> Response:
        """Go on after an interruption, saying why."""
        return self._move(classes.resume, ReasonForm)

    @extend_schema(request=ReasonForm, responses={200: ClassSerializer})
    def cancel(self, request: Request, pk: UUID) -> Response:
        """Call the class off, saying why.

        Enrolments end, rooms are free again, and everyone in the class or waiting is told.
        """
        return self._move(classes.cancel, ReasonForm)
