"""Following up: windows in local days, the clock's sweep, the contact rule, the life of a task."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from people.models import JournalEntry, Notice, Policy
from people.refusals import WrongStatus
from tests import factories
from training import follow_ups
from training.models import ContactAttempt, Enrolment, FollowUpTask

pytestmark = pytest.mark.django_db

VERBS = [
    "open",
    "contact",
    "observe",
    "verify",
    "close",
    "mark_unreachable",
    "refuse",
    "exclude",
    "miss",
    "reopen",
]
# Drawn after the card; "-" is refused.
MOVES = """
scheduled   open -          -        -        -      -           -       excluded -      -
open        -    in_contact observed -        -      unreachable refused excluded missed -
in_contact  -    in_contact observed -        -      unreachable refused excluded -      -
observed    -    -          observed verified -      -           -       excluded -      -
verified    -    -          -        -        closed -           -       -        -      -
closed      -    -          -        -        -      -           -       -        -      open
unreachable -    -          -        -        -      -           -       -        -      open
refused     -    -          -        -        -      -           -       -        -      open
excluded    -    -          -        -        -      -           -       -        -      open
missed      -    -          -        -        -      -           -       -        -      open
"""


def now():
    return timezone.now()


def proof_of_exclusion() -> dict:
    officer, second = factories.user(), factories.user()
    return {
        "exclusion_code": "military",
        "exclusion_document": factories.stored_file(officer),
        "exclusion_proposed_by": officer,
        "exclusion_approved_by": second,
    }


@pytest.mark.parametrize("line", MOVES.strip().split("\n"))
def test_life_cycle(line):
    source, *targets = line.split()
    proof = proof_of_exclusion()
    task = factories.follow_up(status=source, **proof)
    assert len(targets) == len(VERBS)
    for verb, target in zip(VERBS, targets, strict=True):
        FollowUpTask.objects.update(status=source)

        if target == "-":
            with pytest.raises(WrongStatus):
                follow_ups.LIFECYCLE.move(task, verb, by=None, at=now())
        else:
            follow_ups.LIFECYCLE.move(task, verb, by=None, at=now())
            assert task.status == target


def completed(count: int = 1) -> list[Enrolment]:
    made = [factories.completion() for _ in range(count)]
    return list(
        Enrolment.objects.select_related("training_class", "person").filter(
            pk__in=[e.pk for e in made]
        )
    )


# Completed 2026-01-31 00:30 in Shanghai: still the 30th in Greenwich.
LATE = datetime(2026, 1, 30, 16, 30, tzinfo=UTC)
WINDOWS = """
D7   2026-02-07 2026-01-31 2026-02-28 1
D30  2026-03-02 2026-02-23 2026-03-23 2
D60  2026-04-01 2026-03-25 2026-04-15 3
D90  2026-05-01 2026-04-17 2026-05-31 3
D180 2026-07-30 2026-07-09 2026-09-13 3
D365 2027-01-31 2027-01-01 2027-04-01 2
"""


def test_checkpoints_and_windows_are_local_days(officer):
    follow_ups.plan(completed(), by=officer, at=LATE)

    found = [
        f"{t.checkpoint} {t.due_on} {t.window_opens_on} {t.window_closes_on} {t.required_grade}"
        for t in FollowUpTask.objects.order_by("due_on")
    ]
    assert found == [" ".join(line.split()) for line in WINDOWS.strip().split("\n")]


def test_the_protocol_of_the_anchor_day_holds_and_a_later_one_rewrites_nothing(officer):
    [enrolment] = completed()
    one = {"code": "D10", "offset_days": 10, "days_before": 1, "days_after": 2, "required_grade": 1}

    def publish(day: date, **values):
        return Policy.objects.create(
            kind="follow_up",
            region=enrolment.training_class.region,
            depth=3,
            effective_from=day,
            values=values,
            basis="样例",
            approved_by=officer,
            published_at=now(),
        )

    mine = publish(date(2026, 1, 31), checkpoints=[one])
    publish(date(2026, 2, 1), checkpoints=[])

    [task] = follow_ups.plan([enrolment], by=officer, at=LATE)

    assert (task.checkpoint, task.due_on) == ("D10", date(2026, 2, 10))
    assert task.policy_id == mine.pk


# status, window opens, closes (days from today), attempted, reopened -> after the sweep
SWEEPS = [
    ("scheduled", 0, 10, False, False, "open"),
    ("scheduled", 1, 10, False, False, "scheduled"),
    ("scheduled", -9, 0, False, False, "open"),
    ("scheduled", -9, -1, False, False, "missed"),
    ("open", -9, 0, False, False, "open"),
    ("open", -9, -1, False, False, "missed"),
    ("open", -9, -1, True, False, "open"),
    ("open", -9, -1, False, True, "open"),
    ("in_contact", -9, -1, False, False, "in_contact"),
    ("observed", -9, -1, False, False, "observed"),
    ("excluded", -9, -1, False, False, "excluded"),
]


@pytest.mark.parametrize(("status", "opens", "closes", "attempted", "reopened", "after"), SWEEPS)
def test_the_clock(officer, status, opens, closes, attempted, reopened, after):
    task = factories.follow_up(
        status=status,
        window_opens_on=factories.day(opens),
        window_closes_on=factories.day(closes),
        reopened_at=now() if reopened else None,
        **(proof_of_exclusion() if status == "excluded" else {}),
    )
    if attempted:
        ContactAttempt.objects.create(
            task=task, channel="phone", result="no_answer", by=officer, at=now()
        )

    follow_ups.keep_time(at=now())

    task.refresh_from_db()
    assert task.status == after


def test_the_clock_counts_records_tells_and_repeats_without_effect():
    opening, missed, both = (
        factories.follow_up(status="scheduled", checkpoint="D30"),
        factories.follow_up(window_closes_on=factories.day(-1)),
        factories.follow_up(status="scheduled", window_closes_on=factories.day(-1)),
    )

    first = follow_ups.keep_time(at=now())
    second = follow_ups.keep_time(at=now())

    assert first == {"opened": 2, "missed": 2}
    assert second == {"opened": 0, "missed": 0}
    entries = JournalEntry.objects.filter(by_id=None).order_by("verb")
    assert [(e.verb, e.object_id) for e in entries if e.verb == "followuptask.miss"] != []
    assert entries.filter(verb="followuptask.open").count() == 2
    told = Notice.objects.filter(code="follow_up_open").values_list("object_id", flat=True)
    assert set(told) == {opening.pk, both.pk}
    assert FollowUpTask.objects.get(pk=missed.pk).status == "missed"


def test_the_clock_needs_as_many_statements_for_fifty_as_for_two(django_assert_max_num_queries):
    enrolment = factories.completion()
    for count in (2, 50):
        for number in range(count):
            factories.follow_up(
                enrolment,
                "scheduled",
                checkpoint=f"{count}-{number}",
                window_closes_on=factories.day(-1),
            )

        with django_assert_max_num_queries(20):
            follow_ups.keep_time(at=now())


def test_the_local_day_decides_not_the_utc_day():
    task = factories.follow_up(
        status="scheduled",
        window_opens_on=date(2026, 1, 31),
        window_closes_on=date(2026, 3, 1),
    )

    before = follow_ups.keep_time(at=LATE - timedelta(hours=1))
    after = follow_ups.keep_time(at=LATE)

    assert (before["opened"], after["opened"]) == (0, 1)
    task.refresh_from_db()
    assert task.status == "open"


def attempt(task, officer, channel="phone", result="no_answer", days_ago=0):
    return follow_ups.attempt(
        task, channel=channel, result=result, by=officer, at=now() - timedelta(days=days_ago)
    )


@pytest.mark.parametrize(
    ("result", "status"),
    [
        ("reached", "in_contact"),
        ("refused", "refused"),
        ("no_answer", "open"),
        ("wrong_number", "open"),
        ("third_party_only", "open"),
    ],
)
def test_an_attempt_moves_the_task_only_if_somebody_answered(officer, result, status):
    task = factories.follow_up()

    attempt(task, officer, result=result)

    task.refresh_from_db()
    assert task.status == status
    assert task.attempts.count() == 1


@pytest.mark.parametrize(("result", "status"), [("refused", "open"), ("reached", "in_contact")])
def test_the_institutions_word_does_not_end_a_task_as_refused(
    institution, institution_admin, result, status
):
    task = factories.follow_up(factories.completion(institution=institution))

    attempt(task, institution_admin, result=result)

    task.refresh_from_db()
    assert task.status == status
    assert task.attempts.get().result == result


def test_an_attempt_opens_what_the_clock_has_not_opened_yet_but_never_ahead(officer):
    due = factories.follow_up(status="scheduled")
    ahead = factories.follow_up(status="scheduled", window_opens_on=factories.day(1))

    attempt(due, officer)

    due.refresh_from_db()
    assert due.status == "open"
    with pytest.raises(follow_ups.WindowNotOpen):
        attempt(ahead, officer)


@pytest.mark.parametrize("status", ["verified", "closed", "missed", "unreachable", "refused"])
def test_no_attempts_at_what_is_over(officer, status):
    task = factories.follow_up(status=status)

    with pytest.raises(WrongStatus):
        attempt(task, officer)


# channels with days ago; window closes in so many days -> unreachable?
CONTACT_RULE = [
    ([("phone", 3), ("sms", 2), ("home_visit", 2)], -1, True),
    ([("phone", 3), ("phone", 2), ("community_staff", 2)], -1, True),
    ([("phone", 3), ("sms", 2), ("wechat", 1)], -1, False),  # nobody asked locally
    ([("family", 3), ("family", 2), ("family", 1)], -1, False),  # one channel
    ([("phone", 2), ("sms", 2), ("employer", 2)], -1, False),  # one day
    ([("phone", 3), ("home_visit", 2)], -1, False),  # two attempts
    ([("phone", 3), ("sms", 2), ("home_visit", 2)], 0, False),  # the window is open
    ([], -1, False),
]


@pytest.mark.parametrize(("tries", "closes", "unreachable"), CONTACT_RULE)
def test_the_contact_rule(officer, tries, closes, unreachable):
    task = factories.follow_up(window_closes_on=factories.day(closes))
    for channel, days_ago in tries:
        attempt(task, officer, channel, days_ago=days_ago)

    if unreachable:
        follow_ups.mark_unreachable(task, by=officer, at=now())
        assert task.status == "unreachable"
    else:
        with pytest.raises(follow_ups.StillReachable) as refused:
            follow_ups.mark_unreachable(task, by=officer, at=now())
        assert refused.value.facts["needed"] == {"attempts": 3, "channels": 2, "dates": 2}


def test_a_refusal_needs_a_conversation_on_record(officer):
    task = factories.follow_up()
    attempt(task, officer)

    with pytest.raises(follow_ups.NoContactRecord):
        follow_ups.refuse(task, by=officer, at=now())

    attempt(task, officer, result="reached")
    assert follow_ups.refuse(task, by=officer, at=now()).status == "refused"


def test_reopening_clears_the_exclusion_and_the_clock_leaves_it_alone(officer):
    task = factories.follow_up(
        status="excluded", window_closes_on=factories.day(-1), **proof_of_exclusion()
    )

    follow_ups.reopen(task, reason="申诉", by=officer, at=now())
    follow_ups.keep_time(at=now())

    task.refresh_from_db()
    assert (task.status, task.exclusion_code, task.exclusion_approved_by) == ("open", "", None)
