"""Registers the config package with Django."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "config"
