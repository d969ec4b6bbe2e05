"""What a request may say: unknown members and naive times are refused, never ignored."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from people import identifiers
from people.days import local_day

# Control characters (C0, C1) and overrides of the text direction: they deceive the eye.
DECEIVING = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
# Members that hold prose, in which a line may end.
PROSE = frozenset({"note", "reason", "description"})


def refuse_deceiving(text: Any) -> None:
    """Refuse a line of text with characters that nobody sees."""
    if DECEIVING.search(str(text)):
        sentence = _("This text contains control characters.")
        raise serializers.ValidationError(sentence, code="invalid_characters")


def refuse_deceiving_prose(text: Any) -> None:
    """Do the same for a text of several lines."""
    refuse_deceiving(str(text).replace("\n", ""))


def _guard(name: str, field: serializers.Field[Any, Any, Any, Any]) -> None:
    if isinstance(field, serializers.ListField):
        _guard(name, field.child)
    elif isinstance(field, serializers.CharField) and not field.read_only:
        field.validators.append(refuse_deceiving_prose if name in PROSE else refuse_deceiving)


class Strict(serializers.Serializer[Any]):
    """Refuses every member that it does not declare as writable, and text that deceives the eye."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        for name, field in fields.items():
            _guard(name, field)
        return fields

    def run_validation(self, data: Any = serializers.empty) -> Any:
        # A bare null: left alone, it is refused by a sentence that has no Chinese.
        return super().run_validation(
            [] if data is None and getattr(self, "parent", None) is None else data
        )

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            writable = {name for name, field in self.fields.items() if not field.read_only}
            unknown = [name for name in data if name not in writable]
            if unknown:
                error = serializers.ErrorDetail(str(_("Unknown member.")), code="unknown_member")
                raise serializers.ValidationError({name[:60]: [error] for name in unknown})
        return super().to_internal_value(data)


class Form(Strict):
    """The body of one verb."""


class NoBody(Form):
    """Nothing needs to be said."""


class ReasonForm(Form):
    """Why."""

    reason = serializers.CharField(max_length=500)


def wrong(member: str, code: str, sentence: str | Promise) -> serializers.ValidationError:
    """Name the one member of a body that is wrong."""
    return serializers.ValidationError({member: [serializers.ErrorDetail(str(sentence), code)]})


class Moment(serializers.DateTimeField):
    """A time with its offset; without one it could mean two different moments."""

    default_error_messages = {"naive": _("Give the time with its offset, such as +08:00.")}

    def to_internal_value(self, value: Any) -> datetime:
        if isinstance(value, str):
            try:
                parsed = parse_datetime(value)
            except ValueError:
                parsed = None
            if parsed is not None and parsed.tzinfo is None:
                self.fail("naive")
        moment: datetime = super().to_internal_value(value)
        # Bounded so that no arithmetic on it can leave the calendar.
        if not 1900 <= moment.year <= 2200:
            self.fail("invalid", format="RFC 3339")
        return moment


class IdentifierField(serializers.CharField):
    """A number as the state or a network issues it: checked, and normalised."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 40, **kwargs})

    def parse(self, text: str) -> str:
        raise NotImplementedError

    def to_internal_value(self, data: Any) -> str:
        try:
            return self.parse(super().to_internal_value(data))
        except identifiers.BadIdentifier as error:
            raise serializers.ValidationError(str(error), code=error.code) from error


class PhoneField(IdentifierField):
    """A mainland mobile number, normalised to eleven digits."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=24, **kwargs)

    def parse(self, text: str) -> str:
        return identifiers.mobile_number(text)


class IdNumberField(IdentifierField):
    """A resident identity number that can have been issued by today."""

    def parse(self, text: str) -> str:
        return identifiers.resident_id(text, on=local_day(timezone.now())).number


class CreditCodeField(IdentifierField):
    """A unified social credit code."""

    def parse(self, text: str) -> str:
        return identifiers.credit_code(text)
