"""Handing out roles: nobody gives more than they hold, nor where they do not hold it."""

import pytest
from django.utils import timezone

from people import memberships
from people.crypto import phone_index
from people.models import Membership, User
from people.refusals import OwnRequest
from people.roles import Role
from tests import factories

pytestmark = pytest.mark.django_db

PHONE = "13812340001"

# Who gives what in an institution that the giver administers (or administers the system of).
DRAWING = """
                    institution_admin  system_admin  trainer  officer  auditor
trainer             yes                yes           no       no       no
institution_admin   yes                yes           no       no       no
officer             no                 unfit         no       no       no
auditor             no                 unfit         no       no       no
system_admin        no                 unfit         no       no       no
incubator_manager   no                 unfit         no       no       no
founder             no                 unfit         no       no       no
"""


def drawn():
    head, *lines = [line.split() for line in DRAWING.strip().splitlines()]
    return [
        (giver, given, answer)
        for given, *answers in lines
        for giver, answer in zip(head, answers, strict=True)
    ]


@pytest.mark.parametrize(("giver", "given", "answer"), drawn())
def test_who_gives_which_role_in_an_institution(institution, giver, given, answer):
    at_bureau = giver in {"officer", "auditor", "system_admin"}
    home = factories.bureau() if at_bureau else institution
    by = factories.user(roles=[(Role(giver), home)])
    refusals = {"no": memberships.RoleNotYoursToGive, "unfit": memberships.RoleDoesNotFit}

    def invite():
        return memberships.invite(PHONE, Role(given), institution, by=by, at=timezone.now())

    if answer == "yes":
        assert invite().role == given
    else:
        with pytest.raises(refusals[answer]):
            invite()
        assert not User.objects.filter(phone_index=phone_index(PHONE)).exists()


def test_administrator_gives_nothing_in_another_institution(stranger_admin, institution):
    with pytest.raises(memberships.RoleNotYoursToGive):
        memberships.invite(PHONE, Role.TRAINER, institution, by=stranger_admin, at=timezone.now())


def test_trainer_here_and_administrator_there_do_not_add_up(institution):
    there = factories.institution()
    both = factories.user(roles=[(Role.TRAINER, institution), (Role.INSTITUTION_ADMIN, there)])

    with pytest.raises(memberships.RoleNotYoursToGive):
        memberships.invite(PHONE, Role.TRAINER, institution, by=both, at=timezone.now())


def test_giving_twice_is_one_membership(institution_admin, institution):
    for _time in range(2):
        memberships.invite(
            PHONE, Role.TRAINER, institution, by=institution_admin, at=timezone.now()
        )

    assert Membership.objects.filter(organisation=institution, role=Role.TRAINER).count() == 1


def test_invited_account_has_no_password(institution_admin, institution):
    held = memberships.invite(
        PHONE, Role.TRAINER, institution, by=institution_admin, at=timezone.now()
    )

    assert not held.user.has_usable_password()
    assert held.user.phone == PHONE


def test_administrator_cannot_take_away_what_they_may_not_give(institution):
    office = factories.bureau()
    admin = factories.user(roles=[(Role.INSTITUTION_ADMIN, institution)])
    officer = factories.user(roles=[(Role.OFFICER, office)])

    with pytest.raises(memberships.RoleNotYoursToGive):
        memberships.remove(officer.memberships.get(), by=admin, at=timezone.now())


# -- independence ---------------------------------------------------------------------------------


def invited(user, institution, by, role=Role.TRAINER):
    return memberships.invite(user.phone, role, institution, by=by, at=timezone.now())


@pytest.mark.parametrize("supervisor", ["officer", "auditor"])
def test_institution_cannot_make_a_member_of_its_supervisor(
    request, supervisor, institution, institution_admin
):
    user = request.getfixturevalue(supervisor)

    with pytest.raises(memberships.SupervisesHere) as refusal:
        invited(user, institution, institution_admin)

    assert refusal.value.facts == {}
    assert not user.memberships.filter(organisation=institution).exists()


def test_officer_of_another_county_may_teach(officer_elsewhere, institution, institution_admin):
    assert invited(officer_elsewhere, institution, institution_admin)


def test_system_administrator_may_make_a_supervisor_a_member(officer, institution):
    system = factories.user(roles=[(Role.SYSTEM_ADMIN, factories.bureau())])

    held = invited(officer, institution, system)

    admin = factories.user(roles=[(Role.INSTITUTION_ADMIN, institution)])
    assert invited(officer, institution, admin) == held


@pytest.mark.parametrize("role", [Role.TRAINER, Role.INSTITUTION_ADMIN])
def test_nobody_gives_themselves_a_role_they_do_not_have(institution, institution_admin, role):
    had = institution_admin.memberships.filter(role=role).exists()

    if had:
        assert invited(institution_admin, institution, institution_admin, role)
    else:
        with pytest.raises(OwnRequest):
            invited(institution_admin, institution, institution_admin, role)


def test_system_administrator_does_not_become_an_officer_by_their_own_hand():
    office = factories.bureau()
    system = factories.user(roles=[(Role.SYSTEM_ADMIN, office)])

    with pytest.raises(OwnRequest):
        invited(system, office, system, Role.OFFICER)


def test_anybody_may_leave(trainer_user):
    memberships.remove(trainer_user.memberships.get(), by=trainer_user, at=timezone.now())

    assert not trainer_user.memberships.exists()
