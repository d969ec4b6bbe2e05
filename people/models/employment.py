"""Employment spells: a job from a day to a day at an employer, never a tick box."""

from datetime import date
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from people.models.base import Row, one_of
from people.models.persons import Person
from people.roles import Scope

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from people.models.accounts import User


class SpellQuerySet(models.QuerySet["EmploymentSpell"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """Whoever may see the person may see the spell."""
        return self.filter(person__in=Person.objects.visible_to(user))

    def covering(self, day: date) -> Self:
        """Keep the spells that count as work on the day."""
        return (
            self.exclude(status=EmploymentSpell.Status.VOID)
            .exclude(form=EmploymentSpell.Form.TRAINEESHIP)
            .filter(starts_on__lte=day)
            .filter(Q(ends_on__isnull=True) | Q(ends_on__gte=day))
        )


class EmploymentSpellForm(models.TextChoices):
    """Outcome classes after 劳社部发[2004]9号: any labour income counts as employment."""

    UNIT_CONTRACT = "unit_contract", _("Employed with a contract")
    UNIT_NO_CONTRACT = "unit_no_contract", _("Employed without a contract")
    DISPATCH = "dispatch", _("Labour dispatch")
    LABOUR_AGREEMENT = "labour_agreement", _("Labour agreement or part time")
    SELF_EMPLOYED = "self_employed", _("Self-employed")
    ENTERPRISE_FOUNDER = "enterprise_founder", _("Founded an enterprise")
    COOP_MEMBER = "coop_member", _("Member of a cooperative")
    PLATFORM_WORK = "platform_work", _("Platform work")
    FLEXIBLE = "flexible", _("Flexible work")
    FARM_TRANSFER_LOCAL = "farm_transfer_local", _("Local off-farm work")
    LABOUR_EXPORT = "labour_export", _("Organised labour transfer")
    PUBLIC_POST = "public_post", _("Public-welfare post")
    WORKSHOP = "workshop", _("Assistance workshop")
    TRAINEESHIP = "traineeship", _("Traineeship")


class EmploymentSpellStatus(models.TextChoices):
    REPORTED = "reported", _("Reported")
    CONFIRMED = "confirmed", _("Confirmed")
    DISPUTED = "disputed", _("Disputed")
    VOID = "void", _("Void")


class EmploymentSpell(Row):
    Form = EmploymentSpellForm
    Status = EmploymentSpellStatus

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="spells")
    employer = models.ForeignKey(
        "people.Organisation",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="spells",
    )
    # As the person said it, kept beside the organisation it was matched to.
    employer_name = models.CharField(max_length=120)
    form = models.CharField(max_length=20, choices=Form.choices)
    job_title = models.CharField(max_length=60, blank=True)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    monthly_wage = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.REPORTED)
    reported_by = models.ForeignKey("people.User", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    objects = SpellQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("form", EmploymentSpellForm, "spell_form_is_known"),
            one_of("status", EmploymentSpellStatus, "spell_status_is_known"),
            models.CheckConstraint(
                name="spell_ends_after_it_starts",
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
            ),
            models.CheckConstraint(
                name="spell_wage_is_not_negative",
                condition=Q(monthly_wage__isnull=True) | Q(monthly_wage__gte=0),
            ),
        ]
        indexes = [
            models.Index(name="spell_by_person", fields=["person", "starts_on"]),
            models.Index(name="spell_by_employer", fields=["employer", "starts_on"]),
        ]

    def __str__(self) -> str:
        return f"{self.form} {self.starts_on}"

    @property
    def scope(self) -> Scope:
        return Scope(person_id=self.person_id, region_id=self.person.region_id)
