"""Triggers: what no row may say, even when the verbs are bypassed.

A check constraint sees one row; a guard may look at others. Each is written once, as a condition
on the ``NEW`` row, and refuses with its own name as an ``IntegrityError`` on both engines.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import migrations


@dataclass(frozen=True)
class Guard:
    """Refuse a row of a table, when it is written, if the condition holds.

    ``name`` is the sentence that the refusal gives; at most 60 characters.
    """

    name: str
    table: str
    condition: str
    on: Sequence[str] = ("INSERT", "UPDATE")

    def create(self, vendor: str) -> list[str]:
        """Write the statements that set the guard."""
        if vendor == "postgresql":
            return self._create_postgresql()
        return [
            f'CREATE TRIGGER "{self.name}_{event.lower()}" BEFORE {event} ON "{self.table}" '
            f"FOR EACH ROW WHEN ({self.condition}) "
            f"BEGIN SELECT RAISE(ABORT, '{self.name}'); END"
            for event in self.events(vendor)
        ]

    def _create_postgresql(self) -> list[str]:
        return [
            f'CREATE FUNCTION "{self.name}"() RETURNS trigger LANGUAGE plpgsql AS $guard$ BEGIN '
            f"IF {self._condition_postgresql()} THEN RAISE EXCEPTION '{self.name}' "
            f"USING ERRCODE = '23514', CONSTRAINT = '{self.name}', TABLE = '{self.table}'; END IF; "
            "IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END $guard$",
            f'CREATE TRIGGER "{self.name}" BEFORE {" OR ".join(self.events("postgresql"))} '
            f'ON "{self.table}" FOR EACH ROW EXECUTE FUNCTION "{self.name}"()',
        ]

    def drop(self, vendor: str) -> list[str]:
        """Write the statements that lift it."""
        if vendor == "postgresql":
            return [f'DROP FUNCTION "{self.name}"() CASCADE']
        return [f'DROP TRIGGER "{self.name}_{event.lower()}"' for event in self.events(vendor)]

    def events(self, vendor: str) -> Sequence[str]:
        return self.on

    def _condition_postgresql(self) -> str:
        return self.condition


@dataclass(frozen=True)
class Kept(Guard):
    """Refuse changes on which the condition holds, and on PostgreSQL deletions too.

    Deletions are refused always, or if ``deletion`` holds on the ``OLD`` row. SQLite empties tables
    for tests with plain DELETEs, which no trigger can tell from others; there the foreign keys and
    the absence of a verb have to do.
    """

    on: Sequence[str] = ("UPDATE", "DELETE")
    deletion: str = "TRUE"

    def events(self, vendor: str) -> Sequence[str]:
        return self.on if vendor == "postgresql" else ("UPDATE",)

    def _condition_postgresql(self) -> str:
        # NEW has no columns when a row is deleted.
        return f"(CASE TG_OP WHEN 'DELETE' THEN {self.deletion} ELSE {self.condition} END)"


class AppendOnly(Kept):
    """Refuse every change of rows that are evidence, and on PostgreSQL every deletion too."""

    def __init__(self, name: str, table: str) -> None:
        super().__init__(name, table, "TRUE")


def changed(*columns: str) -> str:
    """Write the condition that one of the columns, none of them nullable, changes."""
    return "(" + " OR ".join(f"NEW.{column} <> OLD.{column}" for column in columns) + ")"


def changed_once_set(*columns: str) -> str:
    """Write the condition that one of the columns changes after it has had a value."""
    parts = (f"OLD.{each} <> COALESCE(NEW.{each}, OLD.{each})" for each in columns)
    lost = (f"OLD.{each} IS NOT NULL AND NEW.{each} IS NULL" for each in columns)
    return "(" + " OR ".join([*parts, *lost]) + ")"


def operations(guards: Sequence[Guard]) -> list[migrations.RunPython]:
    """Make the migration operations that set the guards, and lift them backwards."""

    def run(verb: str) -> Any:
        def execute(_apps: Any, editor: Any) -> None:
            for guard in guards:
                for statement in getattr(guard, verb)(editor.connection.vendor):
                    editor.execute(statement, params=None)

        return execute

    return [migrations.RunPython(run("create"), run("drop"))]


def lifted(*operations: Any) -> list[Any]:
    """Surround operations that alter tables, for as long as the guards of SQLite are away.

    SQLite alters a table by building a new one: its triggers would be lost without a word, and
    triggers that look at it make the renaming fail.
    """
    away: list[str] = []

    def lift(_apps: Any, editor: Any) -> None:
        if editor.connection.vendor != "sqlite":
            return
        with editor.connection.cursor() as cursor:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            found = cursor.fetchall()
        for name, sql in found:
            away.append(sql)
            editor.execute(f'DROP TRIGGER "{name}"', params=None)

    def put_back(_apps: Any, editor: Any) -> None:
        while away:
            editor.execute(away.pop(), params=None)

    return [
        migrations.RunPython(lift, put_back),
        *operations,
        migrations.RunPython(put_back, lift),
    ]
