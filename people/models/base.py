"""What every row has in common."""

from django.db import models

from people.ids import uuid7


class Row(models.Model):
    """A row with a time-ordered identity, which a client may have chosen."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)

    class Meta:
        abstract = True


def one_of(field: str, choices: type[models.TextChoices], name: str) -> models.CheckConstraint:
    """Let the database refuse a value outside the list."""
    return models.CheckConstraint(name=name, condition=models.Q(**{f"{field}__in": choices.values}))
