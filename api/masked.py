"""How a person is shown to others: the name, never the number or the phone."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from people.models import Person
from people.models.persons import SEALED


def persons() -> QuerySet[Person]:
    """Read persons without what is never shown."""
    return Person.objects.defer(*SEALED)


class MaskedPersonSerializer(serializers.ModelSerializer[Person]):
    """A person beside another row."""

    class Meta:
        model = Person
        fields = ["id", "name", "id_number_masked", "phone_masked"]
        read_only_fields: Any = fields
