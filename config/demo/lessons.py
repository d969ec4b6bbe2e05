"""Classes in every state at each institution, taken there by the verbs, in the past."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

from config.demo import attendance, uid
from config.demo.cast import Side
from people import policies
from people.days import SHANGHAI, local_day
from people.models import Person, Policy, User
from people.roles import ancestors
from training import classes, closings, enrolments, exams, sessions, totp
from training.models import (
    Accreditation,
    ClassSession,
    Enrolment,
    Occupation,
    Programme,
    Trainer,
    TrainingClass,
    Venue,
)
from training.models.programmes import SkillLevel

Kind = Programme.Kind
# Occupation code and name, level, kind, programme, class hours. The in-progress class teaches the
# last skill but one and the trainee's own completed class the last, so that a visitor who plans a
# class of anything else can enrol the demonstration trainee.
CATALOGUE = (
    ("6-31-01-03", "电工", SkillLevel.JUNIOR, Kind.SKILL, "电工（五级）就业技能培训", 40),
    (
        "4-10-01-06",
        "养老护理员",
        SkillLevel.JUNIOR,
        Kind.TRANSFER,
        "养老护理员（五级）转岗培训",
        40,
    ),
    ("6-18-02-04", "焊工", SkillLevel.INTERMEDIATE, Kind.UPGRADE, "焊工（四级）技能提升培训", 40),
    ("4-02-06-03", "快递员", SkillLevel.NONE, Kind.SKILL, "快递员上岗培训", 20),
    ("4-10-01-02", "育婴员", SkillLevel.JUNIOR, Kind.SKILL, "育婴员（五级）就业技能培训", 40),
    ("0-00-00-01", "创业者", SkillLevel.NONE, Kind.STARTUP, "创办你的企业（SYB）", 20),
)
RUNNING, OWN = 4, 5
RUNNING_NAME = "育婴员日间班"
CLOSED_DAYS_AGO = (5, 32, 62, 95, 188, 370)


@dataclass
class Plan:
    """What one demonstration class is to be."""

    name: str
    programme: int
    starts_on: date
    days: int
    seats: int
    hours: tuple[int, int] = (9, 12)
    admission: str = TrainingClass.Admission.AUTOMATIC

    @property
    def ends_on(self) -> date:
        return self.starts_on + timedelta(days=self.days - 1)


def at_hour(day: date, hour: int, minute: int = 0) -> datetime:
    """Name a moment of a local day."""
    return datetime.combine(day, time(hour, minute), SHANGHAI)


def load_catalogue() -> list[Programme]:
    """Fill the catalogue, in an order that stays the same."""
    programmes = []
    for number, (code, name, level, kind, title, hours) in enumerate(CATALOGUE):
        occupation = Occupation.objects.create(id=uid("occupation", code), code=code, name=name)
        programmes.append(
            Programme.objects.create(
                id=UUID(f"01900000-0000-7000-8000-00000000000{number}"),
                occupation=occupation,
                level=level,
                kind=kind,
                name=title,
                hours=hours,
            )
        )
    return programmes


def load_enrolment_policy(officer: User, at: datetime) -> None:
    """Let a visitor enrol the demonstration trainee in more classes than the default allows."""
    region = "430200000000"
    Policy.objects.create(
        id=uid("policy", "enrolment", region),
        kind=Policy.Kind.ENROLMENT,
        region_id=region,
        depth=len(ancestors(region)),
        effective_from=local_day(at) - timedelta(days=800),
        values={**policies.dump(policies.EnrolmentRules()), "classes_per_year": 20},
        basis="示范文件〔2024〕2号",
        approved_by=officer,
        published_at=at - timedelta(days=800),
    )


class Lessons:
    """One institution's classes."""

    def __init__(self, side: Side, programmes: Sequence[Programme], at: datetime) -> None:
        self.side, self.programmes, self.at = side, programmes, at
        self.today = local_day(at)
        self.next_person = 0
        letter, institution = side.letter, side.institution
        where = {"A": ("27.860000", "113.150000"), "B": ("27.840000", "113.120000")}[letter]
        self.venues = [
            Venue.objects.create(
                id=uid("venue", letter, n),
                institution=institution,
                name=name,
                address=f"株洲市示范路{n + 1}号",
                latitude=Decimal(where[0]),
                longitude=Decimal(where[1]),
                capacity=60,
            )
            for n, name in enumerate(("101教室", "实训车间", "202教室"))
        ]
        self.trainers = [
            Trainer.objects.create(
                id=uid("trainer", letter, n),
                institution=institution,
                user=side.trainer if n == 0 else None,
                name=("样讲师", "例教员", "样师傅")[n],
                qualification="职业培训师（二级）",
            )
            for n in range(3)
        ]
        for programme in programmes:
            Accreditation.objects.create(
                id=uid("accreditation", letter, programme.pk),
                institution=institution,
                occupation=programme.occupation,
                level=programme.level,
                valid_from=self.today - timedelta(days=800),
                valid_to=self.today + timedelta(days=800),
                status=Accreditation.Status.APPROVED,
                applied_by=side.admin,
                applied_at=at - timedelta(days=830),
                decided_by=side.officer,
                decided_at=at - timedelta(days=810),
            )

    # -- the states ---------------------------------------------------------------------------

    def load(self) -> None:
        """Make a class in every state."""
        after = self.today + timedelta(days=20)
        self.plan(Plan("焊工草稿班", 2, after, 5, 20))
        free = self.publish(Plan("电工周末班", 0, after, 5, 30))
        self.enrol(free, 4)
        full = self.publish(Plan("养老护理员名额已满班", 1, after + timedelta(days=10), 5, 5))
        self.enrol(full, 8)
        review = self.publish(
            Plan("快递员择优班", 3, after, 3, 10, (14, 17), TrainingClass.Admission.REVIEW)
        )
        self.enrol(review, 5)
        self.file(Plan("电工待审班", 0, self.today + timedelta(days=12), 4, 20, (14, 17)), 6)
        returned = self.file(Plan("焊工退回班", 2, self.today + timedelta(days=14), 4, 20), 4)
        classes.send_back(returned, reason="实训设备清单不完整", by=self.side.officer, at=self.at)
        approved = self.file(Plan("养老护理员核准班", 1, self.today + timedelta(days=4), 4, 20), 4)
        classes.approve(approved, by=self.side.officer, at=self.at)
        self.suspended()
        cancelled = self.publish(Plan("快递员取消班", 3, after, 3, 10, (18, 20)))
        self.enrol(cancelled, 3)
        classes.cancel(cancelled, reason="报名人数不足", by=self.side.admin, at=self.at)
        self.running()
        for number, days_ago in enumerate(CLOSED_DAYS_AGO):
            self.closed(number, days_ago)

    def suspended(self) -> None:
        """A class interrupted a week ago."""
        plan = Plan("焊工暂停班", 2, self.today - timedelta(days=10), 40, 20, (14, 17))
        begun = self.begin(plan, 5, lessons=3)
        self.attend(begun, until=self.at)
        classes.suspend(begun, reason="场地检修", by=self.side.admin, at=self.at)

    def running(self) -> None:
        """The class in which the demonstration trainee sits, with a session that is open now."""
        plan = Plan(RUNNING_NAME, RUNNING, self.today - timedelta(days=20), 30, 25)
        begun = self.begin(plan, 14, lessons=12, trainee=True, trainer=self.trainers[0])
        self.attend(begun, until=self.at)
        open_session(begun, self.at)

    def closed(self, number: int, days_ago: int) -> None:
        """A class that ended, with its certificates and follow-ups."""
        ends_on = self.today - timedelta(days=days_ago)
        programme = OWN if number == 1 else number % 4
        name = f"{self.programmes[programme].occupation.name}第{number + 1}期"
        plan = Plan(name, programme, ends_on - timedelta(days=11), 12, 20)
        begun = self.begin(plan, 12, lessons=10, trainee=number == 1)
        evening = at_hour(ends_on, 18)
        self.attend(begun, until=evening)
        self.examine(begun, ends_on, evening)
        closings.close(begun, by=self.side.admin, at=evening + timedelta(hours=1))

    # -- the steps ----------------------------------------------------------------------------

    def plan(self, plan: Plan, *, trainer: Trainer | None = None) -> TrainingClass:
        """Draft a class with its timetable, weeks before its first day."""
        before = at_hour(plan.starts_on - timedelta(days=28), 9)
        return classes.plan(
            self.side.institution,
            self.programmes[plan.programme],
            by=self.side.admin,
            at=min(before, self.at),
            id=uid("class", self.side.letter, plan.name),
            region=self.side.county,
            venue=self.venues[0],
            name=f"{self.side.institution.name[2:4]}{plan.name}",
            seats=plan.seats,
            admission=plan.admission,
            enrolment_opens_on=min(plan.starts_on - timedelta(days=25), self.today),
            enrolment_closes_on=plan.starts_on - timedelta(days=1),
            starts_on=plan.starts_on,
            ends_on=plan.ends_on,
        )

    def timetable(
        self, made: TrainingClass, plan: Plan, lessons: int, trainer: Trainer, venue: Venue
    ) -> None:
        """Plan one lesson a day from the first day on."""
        days = [plan.starts_on + timedelta(days=n) for n in range(lessons)]
        sessions.schedule(
            made,
            [(at_hour(day, plan.hours[0]), at_hour(day, plan.hours[1])) for day in days],
            trainer=trainer,
            venue=venue,
            by=self.side.admin,
            at=made.created_at,
        )

    def publish(
        self, plan: Plan, *, lessons: int = 0, trainer: Trainer | None = None
    ) -> TrainingClass:
        """Plan, put on the timetable, and open to the public."""
        made = self.plan(plan)
        # Morning and afternoon classes teach in their own rooms, so that nothing overlaps.
        slot = 1 if plan.hours[0] < 13 else 2
        if trainer:
            slot = 0
        self.timetable(
            made,
            plan,
            lessons or min(plan.days, 4),
            trainer or self.trainers[slot],
            self.venues[slot],
        )
        return classes.publish(
            made,
            by=self.side.admin,
            at=min(at_hour(plan.starts_on - timedelta(days=24), 9), self.at),
        )

    def people(self, count: int) -> list[Person]:
        """Take the next people of the population, nobody twice."""
        first = self.next_person
        self.next_person += count
        return self.side.persons[first : first + count]

    def enrol(self, made: TrainingClass, count: int, *, trainee: bool = False) -> list[Enrolment]:
        """Let people apply, on the day after publication."""
        people = self.people(count)
        if trainee:
            people.insert(0, Person.objects.get(user=self.side.trainee))
        first_day = max(made.enrolment_opens_on, made.starts_on - timedelta(days=20))
        at = min(at_hour(first_day, 9), self.at)
        return [
            enrolments.apply(made, person, by=self.side.admin, at=at + timedelta(seconds=n))
            for n, person in enumerate(people)
        ]

    def file(
        self,
        plan: Plan,
        count: int,
        *,
        lessons: int = 0,
        trainee: bool = False,
        trainer: Trainer | None = None,
    ) -> TrainingClass:
        """Publish, fill and file a class."""
        made = self.publish(plan, lessons=lessons, trainer=trainer)
        self.enrol(made, count, trainee=trainee)
        classes.file(made, by=self.side.admin, at=self.before(plan, 8))
        return made

    def before(self, plan: Plan, days: int) -> datetime:
        """Name a morning so many days before the first, or now if that is still to come."""
        return min(at_hour(plan.starts_on - timedelta(days=days), 10), self.at)

    def begin(
        self,
        plan: Plan,
        count: int,
        *,
        lessons: int,
        trainee: bool = False,
        trainer: Trainer | None = None,
    ) -> TrainingClass:
        """Take a class from the plan to its first day."""
        made = self.file(plan, count, lessons=lessons, trainee=trainee, trainer=trainer)
        classes.approve(made, by=self.side.officer, at=self.before(plan, 6))
        return classes.start(made, by=self.side.admin, at=at_hour(plan.starts_on, 8))

    def attend(self, begun: TrainingClass, *, until: datetime) -> None:
        """Fill the attendance of every session that is over, then finish it."""
        over = list(
            ClassSession.objects.filter(training_class=begun, ends_at__lte=until)
            .select_related("training_class", "trainer", "venue")
            .order_by("starts_at")
        )
        admitted = list(begun.enrolments.filter(status="admitted").order_by("applied_at", "id"))
        attendance.fill(self.side, over, admitted)
        for session in over:
            sessions.LIFECYCLE.move(session, "finish", by=self.side.admin, at=session.ends_at)

    def examine(self, begun: TrainingClass, day: date, at: datetime) -> None:
        """Hold the exam and one resit; who attended too little may not sit."""
        for name, weak_score in (("结业考试", Decimal(55)), ("补考", None)):
            exam = exams.schedule(begun, held_on=day, name=name, by=self.side.admin, at=at)
            sitting = closings.preview(begun, at=at).missing
            marks = [
                exams.Mark(row.enrolment.pk, weak_score if n % 4 == 3 else Decimal(70 + n))
                for n, row in enumerate(sitting)
            ]
            exams.record_results(exam, marks, by=self.side.admin, at=at)


def running_ids() -> list[UUID]:
    """List the classes that always have a session open now."""
    return [uid("class", letter, RUNNING_NAME) for letter in "AB"]


def open_session(begun: TrainingClass, at: datetime) -> ClassSession:
    """Give the running class a session from an hour before now to four hours after.

    One that is still open stays; what another one of today left over is where the next begins.
    """
    sessions_of_class = begun.sessions.order_by("-ends_at")
    still_open = sessions_of_class.filter(status="scheduled", starts_at__lte=at, ends_at__gt=at)
    if session := still_open.first():
        return session
    now = at.replace(second=0, microsecond=0)
    last = sessions_of_class.filter(status="scheduled").first()
    begins = max(now - timedelta(hours=1), last.ends_at if last else now - timedelta(hours=1))
    return ClassSession.objects.create(
        training_class=begun,
        starts_at=begins,
        ends_at=now + timedelta(hours=4),
        planned_minutes=240,
        trainer=Trainer.objects.get(
            institution=begun.institution, pk__in=[uid("trainer", side, 0) for side in "AB"]
        ),
        venue=begun.venue,
        topic="实操：婴幼儿照护",
        secret=totp.new_secret(),
        created_at=begun.created_at,
    )
