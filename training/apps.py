"""Registers the training package with Django."""

from django.apps import AppConfig


class TrainingConfig(AppConfig):
    name = "training"
