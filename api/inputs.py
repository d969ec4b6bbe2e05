"""What a request may say: unknown members and naive times are refused, never ignored."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from people import identifiers
from people.days import local_day


class Strict(serializers.Serializer[Any]):
    """Refuses every member that it does not declare as writable."""

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


class PhoneField(serializers.CharField):
    """A mainland mobile number, normalised to eleven digits."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=24, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        text: str = super().to_internal_value(data)
        try:
            return identifiers.mobile_number(text)
        except identifiers.BadIdentifier as error:
            raise serializers.ValidationError(str(error), code=error.code) from error


class IdNumberField(serializers.CharField):
    """A resident identity number that can have been issued by today, normalised."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=40, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        text: str = super().to_internal_value(data)
        try:
            return identifiers.resident_id(text, on=local_day(timezone.now())).number
        except identifiers.BadIdentifier as error:
            raise serializers.ValidationError(str(error), code=error.code) from error
