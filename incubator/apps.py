"""Registers the incubator package with Django."""

from django.apps import AppConfig


class IncubatorConfig(AppConfig):
    name = "incubator"
