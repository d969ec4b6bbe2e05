"""SQL for the few paths on which a round trip and its preparation count.

Statements are still Django's own: a ``Prepared`` query is compiled once and only bound afterwards,
and ``insert_together`` joins Django's INSERTs into one. PostgreSQL gets
``WITH a AS (INSERT …), b AS (INSERT …) INSERT …``, which is a transaction of its own. SQLite knows
no such statement: there the same INSERTs run one after the other in one transaction, and cost
little, because a statement is a function call and not a round trip.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import connection, models, transaction
from django.db.models.constants import OnConflict
from django.db.models.sql import InsertQuery

from people.models import User
from people.roles import Grant

Sql = tuple[str, list[Any]]


class Given(models.Expression):
    """A value of a prepared query that each run gives anew, by name."""

    def __init__(self, name: str, output_field: models.Field[Any, Any]) -> None:
        super().__init__(output_field=output_field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return "%s", [self]


class Prepared:
    """A ``values_list`` query whose shape never changes: built and compiled once per engine."""

    def __init__(self, build: Callable[[], models.QuerySet[Any, Any]]) -> None:
        self.build = build
        self.compiled: dict[str, tuple[Sql, dict[int, Any]]] = {}

    def rows(self, **given: Any) -> list[list[Any]]:
        """Run it with these values; the rows hold what the ORM would make of them."""
        if connection.vendor not in self.compiled:
            self.compiled[connection.vendor] = self._compile()
        (sql, parameters), converters = self.compiled[connection.vendor]
        with connection.cursor() as cursor:
            cursor.execute(sql, [_bind(each, given) for each in parameters])
            rows = [list(row) for row in cursor.fetchall()]
        for index, (convert, expression) in converters.items():
            for each in convert:
                for row in rows:
                    row[index] = each(row[index], expression, connection)
        return rows

    def _compile(self) -> tuple[Sql, dict[int, Any]]:
        compiler = self.build().query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        selected = [each[0] for each in compiler.select]
        return (sql, list(parameters)), compiler.get_converters(selected)


def with_grants(grants: tuple[Grant, ...]) -> User:
    """Make a user who is nobody but for what was given, to build a shape for all of the kind.

    Fit for rows whose sight depends on grants alone; for others it finds nothing.
    """
    user = User()
    user.__dict__["grants"] = grants
    return user


def _bind(parameter: Any, given: dict[str, Any]) -> Any:
    if isinstance(parameter, Given):
        return parameter.output_field.get_db_prep_value(given[parameter.name], connection)
    return parameter


@dataclass(frozen=True)
class Upsert:
    """A row that replaces the stored one, provided that this is still as it was read.

    ``seen`` is what the column ``unless_changed``, which must not be nullable, held when the row
    was read; ``None`` says that there was no row.
    """

    row: models.Model
    unique: tuple[str, ...]
    unless_changed: str
    seen: Any


def insert_together(rows: Sequence[models.Model | Upsert]) -> None:
    """Write all the rows or none of them.

    :raises IntegrityError: a constraint refuses one, or an upserted row has changed meanwhile
    """
    statements = [_statement(row) for row in rows]
    if not statements:
        return
    if connection.vendor == "postgresql":
        *others, (last, last_values) = statements
        parts = [f"w{number} AS ({sql})" for number, (sql, _) in enumerate(others)]
        head = f"WITH {', '.join(parts)} " if parts else ""
        values = [value for _, each in others for value in each]
        with connection.cursor() as cursor:
            cursor.execute(head + last, [*values, *last_values])
        return
    with transaction.atomic(), connection.cursor() as cursor:
        for sql, values in statements:
            cursor.execute(sql, values)


def _statement(row: models.Model | Upsert) -> Sql:
    if not isinstance(row, Upsert):
        return _insert(connection.vendor, type(row)), _values(row)
    if row.seen is None:
        return _statement(row.row)
    guard = _field(type(row.row), row.unless_changed)
    sql = _upsert(connection.vendor, type(row.row), row.unique, row.unless_changed)
    return sql, [*_values(row.row), guard.get_db_prep_value(row.seen, connection)]


def _values(row: models.Model) -> list[Any]:
    return [
        field.get_db_prep_save(field.pre_save(row, add=True), connection)
        for field in row._meta.local_concrete_fields
    ]


def _field(model: type[models.Model], name: str) -> models.Field[Any, Any]:
    field = model._meta.get_field(name)
    assert isinstance(field, models.Field)
    return field


@cache
def _insert(vendor: str, model: type[models.Model], **conflict: Any) -> str:
    query = InsertQuery(model, **conflict)
    # SQL depends on the fields alone; any row will do.
    query.insert_values(list(model._meta.local_concrete_fields), [model()])
    ((sql, _values),) = query.get_compiler(connection=connection).as_sql()
    return str(sql)


@cache
def _upsert(vendor: str, model: type[models.Model], unique: tuple[str, ...], guard: str) -> str:
    guarded = _field(model, guard)
    assert not guarded.null
    unique_fields = tuple(_field(model, name) for name in unique)
    kept = {model._meta.pk, guarded, *unique_fields}
    sql = _insert(
        vendor,
        model,
        on_conflict=OnConflict.UPDATE,
        update_fields=tuple(each for each in model._meta.local_concrete_fields if each not in kept),
        unique_fields=unique_fields,
    )
    column = connection.ops.quote_name(str(guarded.column))
    table = connection.ops.quote_name(model._meta.db_table)
    # A row that changed meanwhile gets NULL where none may be, so the whole write is refused.
    return f"{sql}, {column} = CASE WHEN {table}.{column} = %s THEN EXCLUDED.{column} END"
