"""Registers the training package with Django."""

from django.apps import AppConfig


class TrainingConfig(AppConfig):
    name = "training"

    def ready(self) -> None:
        """Tell the register whom training serves."""
        from people import persons
        from training import enrolments

        persons.SERVED_BY.append(enrolments.is_served)
