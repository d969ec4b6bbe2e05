"""Registers the people package with Django."""

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "people"
