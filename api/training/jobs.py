"""How a body says where somebody works; read by answers and by observations alike."""

from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from api.inputs import CreditCodeField, Form
from people.employment import Job
from people.models import EmploymentSpell
from training.models import OutcomeObservation

Situation = OutcomeObservation.Situation
SpellForm = EmploymentSpell.Form
# What may be said of a job; each is refused where there is none.
JOB = (
    "employment_form",
    "employer_name",
    "employer_credit_code",
    "job_title",
    "starts_on",
    "still_working",
    "ends_on",
    "monthly_wage",
    "contract",
    "relation",
)
# Those who work for themselves need not name an employer.
WITHOUT_EMPLOYER = {
    SpellForm.SELF_EMPLOYED,
    SpellForm.PLATFORM_WORK,
    SpellForm.FLEXIBLE,
}
WITH_CONTRACT = {SpellForm.UNIT_CONTRACT}
WITHOUT_CONTRACT = {SpellForm.UNIT_NO_CONTRACT}


class JobForm(Form):
    """The members that describe a job, and the skips between them."""

    employment_form = serializers.ChoiceField(SpellForm.choices, required=False)
    employer_name = serializers.CharField(max_length=120, required=False)
    employer_credit_code = CreditCodeField(required=False)
    job_title = serializers.CharField(max_length=60, required=False)
    starts_on = serializers.DateField(required=False)
    still_working = serializers.BooleanField(required=False)
    ends_on = serializers.DateField(required=False)
    monthly_wage = serializers.DecimalField(
        max_digits=12,
        decimal_places=2,
        min_value=0,
        max_value=9_999_999_999,
        required=False,
        allow_null=True,
        help_text="Yuan a month; null when not told.",
    )
    contract = serializers.BooleanField(required=False)
    relation = serializers.ChoiceField(OutcomeObservation.Relation.choices, required=False)


def read_job(attrs: dict[str, Any], *, today: date) -> Job:
    """Make a job of the members.

    :raises ValidationError: naming what is missing or contradicts another member
    """
    wrong: dict[str, list[serializers.ErrorDetail]] = {}
    form = attrs.get("employment_form") or _form_by_contract(attrs.get("contract"))
    if not form:
        wrong["employment_form"] = _missing()
    elif _contradicts(form, attrs.get("contract")):
        wrong["contract"] = _error(_("The form of employment says otherwise."), "contradiction")
    if not attrs.get("employer_name") and form not in WITHOUT_EMPLOYER:
        wrong["employer_name"] = _missing()
    wrong |= _wrong_dates(attrs, today)
    if wrong:
        raise serializers.ValidationError(wrong)
    return Job(
        form=str(form),
        employer_name=attrs.get("employer_name", ""),
        employer_credit_code=attrs.get("employer_credit_code", ""),
        job_title=attrs.get("job_title", ""),
        starts_on=attrs["starts_on"],
        ends_on=attrs.get("ends_on"),
        monthly_wage=attrs.get("monthly_wage"),
    )


def _wrong_dates(attrs: dict[str, Any], today: date) -> dict[str, list[serializers.ErrorDetail]]:
    starts_on, ends_on = attrs.get("starts_on"), attrs.get("ends_on")
    still = attrs.get("still_working", ends_on is None)
    if starts_on is None:
        return {"starts_on": _missing()}
    if starts_on > today:
        return {"starts_on": _error(_("Not in the future."), "max_value")}
    if still != (ends_on is None):
        sentence = _("A job that goes on has no last day, and one that is over has one.")
        return {"ends_on": _error(sentence, "contradiction")}
    if ends_on and not starts_on <= ends_on <= today:
        return {"ends_on": _error(_("Between the first day and today."), "invalid")}
    return {}


def _form_by_contract(contract: bool | None) -> str:  # noqa: FBT001  # as the body says it
    if contract is None:
        return ""
    return SpellForm.UNIT_CONTRACT if contract else SpellForm.UNIT_NO_CONTRACT


def _contradicts(form: str, contract: bool | None) -> bool:  # noqa: FBT001  # as the body says it
    if contract is None:
        return False
    return form in (WITHOUT_CONTRACT if contract else WITH_CONTRACT)


def refuse_job(attrs: dict[str, Any]) -> None:
    """Refuse what is said of a job by somebody who has none."""
    given = [name for name in JOB if name in attrs]
    if given:
        sentence = _("Only for somebody who works.")
        raise serializers.ValidationError(
            {name: _error(sentence, "not_applicable") for name in given}
        )


def _missing() -> list[serializers.ErrorDetail]:
    return _error(_("This member is required here."), "required")


def _error(sentence: Any, code: str) -> list[serializers.ErrorDetail]:
    return [serializers.ErrorDetail(str(sentence), code=code)]
