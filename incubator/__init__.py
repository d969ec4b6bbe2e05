"""Incubators: places, selection, tenancies, rent, reports and exits of tenant companies."""
