"""Trainers: their accounts and the role that comes and goes with them."""

import pytest
from django.utils import timezone

from people import memberships
from people.models import Membership, User
from people.roles import Role
from training import trainers

pytestmark = pytest.mark.django_db


def engage(institution, by, **given):
    return trainers.engage(institution, "测试教师", **given, by=by, at=timezone.now())


def amend(trainer, by, **changes):
    return trainers.amend(trainer, **changes, by=by, at=timezone.now())


def may_teach(trainer):
    held = Membership.objects.filter(organisation=trainer.institution, role=Role.TRAINER)
    return held.filter(user=trainer.user).exists()


def test_a_phone_brings_an_account_that_may_take_attendance(institution, institution_admin):
    trainer = engage(institution, institution_admin, phone="13812340001")

    assert trainer.user.phone == "13812340001"
    assert may_teach(trainer)


def test_an_account_that_exists_is_used(institution, institution_admin, trainee):
    trainer = engage(institution, institution_admin, phone=trainee.phone)

    assert trainer.user == trainee
    assert may_teach(trainer)


def test_without_a_phone_there_is_no_account(institution, institution_admin):
    accounts = User.objects.count()

    trainer = engage(institution, institution_admin)

    assert trainer.user is None
    assert User.objects.count() == accounts


def test_an_account_teaches_at_an_institution_once(institution, institution_admin, trainer_user):
    with pytest.raises(trainers.TrainerAlreadyEngaged):
        engage(institution, institution_admin, phone=trainer_user.phone)


def test_who_is_not_active_any_more_loses_the_role_and_gets_it_back(
    institution_admin, trainer_user
):
    trainer = trainer_user.trainers.get()

    amend(trainer, institution_admin, active=False)
    lost = may_teach(trainer)
    amend(trainer, institution_admin, active=True)

    assert not lost
    assert may_teach(trainer)


def test_another_phone_moves_the_role_to_another_account(institution_admin, trainer_user):
    trainer = trainer_user.trainers.get()

    amend(trainer, institution_admin, phone="13812340002")

    assert trainer.user.phone == "13812340002"
    assert may_teach(trainer)
    assert not trainer_user.memberships.filter(role=Role.TRAINER).exists()


def test_the_same_phone_again_changes_nothing(institution_admin, trainer_user):
    trainer = trainer_user.trainers.get()

    amend(trainer, institution_admin, phone=trainer_user.phone)

    assert trainer.user == trainer_user
    assert may_teach(trainer)


def test_a_phone_given_with_leaving_brings_no_role(institution_admin, trainer_user):
    trainer = trainer_user.trainers.get()

    amend(trainer, institution_admin, active=False, phone="13812340002")

    assert trainer.user.phone == "13812340002"
    assert not may_teach(trainer)
    assert not trainer_user.memberships.filter(role=Role.TRAINER).exists()


def test_a_supervisor_is_not_engaged(institution, institution_admin, officer):
    with pytest.raises(memberships.SupervisesHere):
        engage(institution, institution_admin, phone=officer.phone)


def test_a_supervisor_does_not_come_in_by_a_trainer_who_returns(
    institution_admin, trainer_user, officer
):
    trainer = trainer_user.trainers.get()
    amend(trainer, institution_admin, active=False, phone=officer.phone)

    with pytest.raises(memberships.SupervisesHere):
        amend(trainer, institution_admin, active=True)
