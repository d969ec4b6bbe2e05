"""Which constraint a write broke, by its name, on either engine."""

import re

from django.apps import apps
from django.db import IntegrityError
from django.db.models import UniqueConstraint

CHECK = re.compile(r"CHECK constraint failed: (\w+)")
INDEX = re.compile(r"UNIQUE constraint failed: index '(\w+)'")
COLUMNS = re.compile(r"UNIQUE constraint failed: (\w+)\.")


def broken_constraint(error: IntegrityError) -> str:
    """Name the constraint; empty where the engine does not tell."""
    diagnosis = getattr(error.__cause__, "diag", None)
    if diagnosis is not None:
        return diagnosis.constraint_name or ""
    said = str(error)
    if named := CHECK.search(said) or INDEX.search(said):
        return named[1]
    if unique := COLUMNS.search(said):
        return _unique_over(unique[1], set(re.findall(rf"{unique[1]}\.(\w+)", said)))
    return ""


def broke_primary_key(error: IntegrityError) -> bool:
    """Tell whether the row's id names another row."""
    diagnosis = getattr(error.__cause__, "diag", None)
    if diagnosis is not None:
        return (diagnosis.constraint_name or "").endswith("_pkey")
    said = str(error)
    unique = COLUMNS.search(said)
    columns = unique and set(re.findall(rf"{unique[1]}\.(\w+)", said))
    return columns == {"id"}


def _unique_over(table: str, columns: set[str]) -> str:
    # SQLite names the columns of a unique constraint, not the constraint.
    for model in apps.get_models():
        if model._meta.db_table == table:
            for constraint in model._meta.constraints:
                if isinstance(constraint, UniqueConstraint):
                    fields = [model._meta.get_field(name) for name in constraint.fields]
                    found = {getattr(field, "column", "") for field in fields}
                    if found == columns:
                        return str(constraint.name)
    return ""
