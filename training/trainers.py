"""Engaging those who teach, and the account through which they take attendance."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from people import journal, memberships
from people.ids import uuid7
from people.models import Membership, Organisation, User
from people.refusals import Refusal
from people.roles import Role
from training.models import Trainer


class TrainerAlreadyEngaged(Refusal):
    code = "trainer_already_engaged"
    title = _("This account already teaches at the institution.")


@transaction.atomic
def engage(
    institution: Organisation,
    name: str,
    *,
    qualification: str = "",
    phone: str = "",
    by: User,
    at: datetime,
    id: UUID | None = None,  # noqa: A002  # the client's name for the row
) -> Trainer:
    """Add a trainer; with a phone, its account may take attendance in the trainer's classes.

    :raises TrainerAlreadyEngaged: if the account teaches there under another record
    :raises OwnRequest: if it is the caller's own account, which teaches there only by others' will
    :raises SupervisesHere: if the account is one of the institution's supervisors
    """
    trainer = Trainer(
        id=id or uuid7(), institution=institution, name=name, qualification=qualification
    )
    if phone:
        trainer.user = _account(trainer, phone, by=by, at=at)
    trainer.save(force_insert=True)
    journal.record("trainer.engage", trainer, by=by, at=at)
    return trainer


@transaction.atomic
def amend(
    trainer: Trainer, *, phone: str | None = None, by: User, at: datetime, **changes: Any
) -> Trainer:
    """Change what is given; who is not active any more loses the role, and gets it back with it.

    :raises TrainerAlreadyEngaged: if the phone's account teaches there under another record
    :raises OwnRequest: if the role would go to the caller's own account
    :raises SupervisesHere: if the account is one of the institution's supervisors
    """
    trainer.refresh_from_db(from_queryset=Trainer.objects.select_for_update())
    before = trainer.user_id
    trainer.active = changes.get("active", trainer.active)
    if phone is not None:
        changes["user"] = _account(trainer, phone, by=by, at=at) if phone else None
    for name, value in changes.items():
        setattr(trainer, name, value)
    trainer.save(update_fields=list(changes))
    if before and (before != trainer.user_id or not trainer.active):
        _take_role(trainer.institution_id, before, by=by, at=at)
    if trainer.user and trainer.active:
        memberships.give(trainer.user, Role.TRAINER, trainer.institution, by=by, at=at)
    journal.record("trainer.amend", trainer, by=by, at=at, members=sorted(changes))
    return trainer


def _account(trainer: Trainer, phone: str, *, by: User, at: datetime) -> User:
    if trainer.active:
        user = memberships.invite(phone, Role.TRAINER, trainer.institution, by=by, at=at).user
    else:
        user = memberships.account_of(phone, by=by, at=at)
    others = Trainer.objects.filter(institution=trainer.institution, user=user)
    if others.exclude(pk=trainer.pk).exists():
        raise TrainerAlreadyEngaged
    return user


def _take_role(institution_id: UUID, user_id: UUID, *, by: User, at: datetime) -> None:
    held = Membership.objects.filter(organisation=institution_id, user=user_id, role=Role.TRAINER)
    for membership in held.select_related("organisation"):
        memberships.remove(membership, by=by, at=at)
