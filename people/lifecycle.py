"""Life cycles as tables: the only way in which a status moves."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, TypeVar

from django.db import models

from people import journal
from people.models import User
from people.refusals import require_status

AnyRow = TypeVar("AnyRow", bound=models.Model)


class Lifecycle:
    """The moves one kind of row can make: ``verb=(sources, target)``."""

    def __init__(self, **moves: tuple[Collection[str], str]) -> None:
        self.moves = moves

    def lock(self, row: AnyRow, verb: str) -> AnyRow:
        """Lock and refresh the row, and check that the verb may start from its status.

        Needs a transaction. Guards that look at the row come after this and before ``move``.

        :raises WrongStatus: if the table has no such move from the row's status
        """
        row.refresh_from_db(from_queryset=type(row)._default_manager.select_for_update())
        require_status(row.status, self.moves[verb][0])  # type: ignore[attr-defined]
        return row

    def move(
        self, row: AnyRow, verb: str, *, by: User | None, at: datetime, **changes: Any
    ) -> AnyRow:
        """Lock the row, check the move, save only what changed, record it.

        :raises WrongStatus: if the table has no such move from the row's status
        """
        self.lock(row, verb)
        before = row.status  # type: ignore[attr-defined]
        changes["status"] = self.moves[verb][1]
        for name, value in changes.items():
            setattr(row, name, value)
        row.save(update_fields=list(changes))
        journal.record(f"{row._meta.model_name}.{verb}", row, by=by, at=at, before=before)
        return row

    def move_all(
        self,
        rows: "models.QuerySet[AnyRow]",
        verb: str,
        *,
        by: User | None,
        at: datetime,
        **changes: Any,
    ) -> list[AnyRow]:
        """Move every row of the set that may start from its status, in three statements.

        Needs a transaction. Rows in another status are left alone: what a single move refuses, a
        sweep over many passes by. The set brings the relations that the rows' scopes read.
        """
        sources, target = self.moves[verb]
        found = list(rows.filter(status__in=sources).select_for_update(of=("self",)).order_by("pk"))
        keys = [row.pk for row in found]
        rows.model._default_manager.filter(pk__in=keys).update(status=target, **changes)
        for row in found:
            for name, value in {**changes, "status": target}.items():
                setattr(row, name, value)
        journal.record_all(f"{rows.model._meta.model_name}.{verb}", found, by=by, at=at)
        return found
