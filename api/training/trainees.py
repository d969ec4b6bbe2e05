"""How a trainee is shown beside a row of training: masked, and only to those who see the row."""

from typing import Any

from rest_framework import serializers

from people.models import Person


class TraineeSerializer(serializers.ModelSerializer[Person]):
    """Name in full, numbers masked."""

    class Meta:
        model = Person
        fields = ["id", "name", "id_number_masked", "phone_masked"]
        read_only_fields: Any = fields
