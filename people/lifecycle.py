"""Life cycles as tables: the only way in which a status moves."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, TypeVar

from django.db import models

from people import journal
from people.models import User
from people.refusals import WrongStatus

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
        sources, _ = self.moves[verb]
        status = row.status  # type: ignore[attr-defined]
        if status not in sources:
            raise WrongStatus(status=status, allowed_from=sorted(sources))
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
