"""The door to classes: who may, what is refused, how the list is narrowed."""

import uuid
from decimal import Decimal

import pytest

from people.models import JournalEntry
from people.roles import Role
from tests import factories
from tests.factories import day
from training.models import TrainingClass

pytestmark = pytest.mark.django_db
URL = "/api/v1/classes"


def body(**changes):
    given = {
        "programme_id": str(factories.programme().pk),
        "name": "电工初级样例班",
        "seats": 30,
        "enrolment_opens_on": str(day(0)),
        "enrolment_closes_on": str(day(9)),
        "starts_on": str(day(10)),
        "ends_on": str(day(40)),
    }
    return {name: value for name, value in (given | changes).items() if value is not ...}


# -- create -----------------------------------------------------------------------------------


def test_an_institution_drafts_a_class_of_its_own(as_, institution_admin, institution):
    chosen = uuid.uuid4()

    response = as_(institution_admin).post(URL, body(id=str(chosen)))

    assert response.status_code == 201
    answer = response.json()
    assert answer["id"] == str(chosen)
    assert answer["institution_id"] == str(institution.pk)
    assert answer["region_id"] == institution.region_id
    assert (answer["status"], answer["admission"]) == ("draft", "automatic")
    assert (answer["seats"], answer["seats_taken"], answer["planned_minutes"]) == (30, 0, 0)
    assert response["ETag"] == f'"{answer["version"]}"'
    assert JournalEntry.objects.filter(verb="trainingclass.plan", object_id=str(chosen)).exists()


def test_an_id_is_given_to_one_class_only(as_, institution_admin, institution):
    taken = factories.training_class("draft", institution=institution)

    response = as_(institution_admin).post(URL, body(id=str(taken.pk)))

    assert response.status_code == 409


def test_who_administers_two_institutions_says_which(as_, institution):
    both = factories.user(
        roles=[
            (Role.INSTITUTION_ADMIN, institution),
            (Role.INSTITUTION_ADMIN, factories.institution()),
        ]
    )

    silent = as_(both).post(URL, body())
    named = as_(both).post(URL, body(institution_id=str(institution.pk)))

    assert silent.status_code == 400
    assert silent.json()["errors"][0]["pointer"] == "#/institution_id"
    assert named.status_code == 201


def test_nobody_drafts_for_another_institution(as_, institution_admin):
    other = factories.institution()

    response = as_(institution_admin).post(URL, body(institution_id=str(other.pk)))

    assert response.status_code == 403


@pytest.mark.parametrize("caller", ["trainer_user", "officer", "auditor", "trainee"])
def test_only_institutions_draft_classes(caller, as_, request):
    response = as_(request.getfixturevalue(caller)).post(URL, body())

    assert response.status_code == 403


def test_the_public_drafts_nothing(as_):
    assert as_(None).post(URL, body()).status_code == 401


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"name": ...}, "#/name"),
        ({"seats": 0}, "#/seats"),
        ({"seats": "many"}, "#/seats"),
        ({"starts_on": "2026-13-01"}, "#/starts_on"),
        ({"ends_on": "2020-01-01"}, "#/ends_on"),
        ({"enrolment_closes_on": "2020-01-01"}, "#/enrolment_closes_on"),
        ({"programme_id": str(uuid.uuid4())}, "#/programme_id"),
        ({"venue_id": str(uuid.uuid4())}, "#/venue_id"),
        ({"region_id": "430299000000"}, "#/region_id"),
        ({"region_id": "4302"}, "#/region_id"),
        ({"admission": "lottery"}, "#/admission"),
        ({"status": "enrolling"}, "#/status"),
        ({"seats_taken": 3}, "#/seats_taken"),
    ],
)
def test_a_wrong_member_is_named(changes, pointer, as_, institution_admin):
    response = as_(institution_admin).post(URL, body(**changes))

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == pointer
    assert not TrainingClass.objects.exists()


@pytest.mark.parametrize("region_id", [factories.COUNTY_ELSEWHERE, factories.CITY])
def test_no_other_county_is_chosen_to_decide(region_id, as_, institution_admin):
    factories.region(region_id)

    response = as_(institution_admin).post(URL, body(region_id=region_id))

    assert response.status_code == 400
    assert [(e["pointer"], e["code"]) for e in response.json()["errors"]] == [
        ("#/region_id", "outside_institution_region")
    ]


def test_a_township_of_the_county_is_chosen(as_, institution_admin):
    township = factories.region("430202001000")

    response = as_(institution_admin).post(URL, body(region_id=township.pk))

    assert (response.status_code, response.json()["region_id"]) == (201, township.pk)


def test_no_other_institutions_venue_is_chosen(as_, institution_admin, institution):
    room = factories.venue(factories.institution())
    draft = factories.training_class("draft", institution=institution)
    client = as_(institution_admin)
    path = f"{URL}/{draft.pk}"

    made = client.post(URL, body(venue_id=str(room.pk)))
    changed = client.patch(path, {"venue_id": str(room.pk)}, HTTP_IF_MATCH=client.get(path)["ETag"])

    assert [(r.status_code, r.json()["code"]) for r in (made, changed)] == [
        (409, "not_available"),
        (409, "not_available"),
    ]


def test_the_catalogue_is_kept_for_a_minute_for_the_public_only(as_, trainee):
    factories.training_class("enrolling")

    assert as_(None).get(URL)["Cache-Control"] == "public, max-age=60"
    assert "private" in as_(trainee).get(URL)["Cache-Control"]


# -- sight ------------------------------------------------------------------------------------


def test_the_public_sees_published_classes_and_nothing_of_the_staff(as_):
    published = factories.training_class("enrolling", reason="内部说明")
    factories.training_class("draft")

    listed = as_(None).get(URL).json()["results"]
    shown = as_(None).get(f"{URL}/{published.pk}").json()

    assert [row["id"] for row in listed] == [str(published.pk)]
    assert shown["reason"] == ""
    assert not {"created_by_id", "filed_by_id", "approved_by_id"} & set(shown)


def test_the_institution_reads_why_its_class_came_back(as_, institution_admin, institution):
    returned = factories.training_class("returned", institution=institution, reason="请补充")

    shown = as_(institution_admin).get(f"{URL}/{returned.pk}").json()

    assert shown["reason"] == "请补充"


@pytest.mark.parametrize("caller", [None, "stranger_admin", "trainee", "officer_elsewhere"])
def test_a_strangers_draft_looks_like_an_absent_class(caller, as_, request, institution):
    draft = factories.training_class("draft", institution=institution)
    client = as_(request.getfixturevalue(caller) if caller else None)

    hidden = client.get(f"{URL}/{draft.pk}").json()
    absent = client.get(f"{URL}/{uuid.uuid4()}").json()

    assert hidden.pop("request_id")
    assert absent.pop("request_id")
    assert hidden == absent
    assert hidden["status"] == 404


@pytest.mark.parametrize("caller", ["institution_admin", "trainer_user", "officer", "auditor"])
def test_staff_see_drafts(caller, as_, request, institution):
    draft = factories.training_class("draft", institution=institution)

    response = as_(request.getfixturevalue(caller)).get(f"{URL}/{draft.pk}")

    assert response.status_code == 200


# -- moves ------------------------------------------------------------------------------------

INSTITUTION_MOVES = ["publish", "file", "start", "suspend", "resume", "cancel"]
BUREAU_MOVES = ["return", "approve"]
WITH_REASON = {"return", "suspend", "resume", "cancel"}


def act(client, training_class, verb):
    given = {"reason": "样例原因"} if verb in WITH_REASON else {}
    return client.post(f"{URL}/{training_class.pk}/{verb}", given)


@pytest.mark.parametrize(
    ("verb", "state", "caller", "target"),
    [
        ("publish", "draft", "institution_admin", "enrolling"),
        ("file", "enrolling", "institution_admin", "filed"),
        ("return", "filed", "officer", "returned"),
        ("approve", "filed", "officer", "approved"),
        ("start", "approved", "institution_admin", "in_progress"),
        ("suspend", "in_progress", "institution_admin", "suspended"),
        ("suspend", "in_progress", "officer", "suspended"),
        ("resume", "suspended", "officer", "in_progress"),
        ("resume", "suspended", "institution_admin", "in_progress"),
        ("cancel", "enrolling", "institution_admin", "cancelled"),
    ],
)
def test_each_move_has_its_door(verb, state, caller, target, as_, request, institution):
    dates = {"starts_on": day(0)} if verb == "start" else {}
    training_class = factories.training_class(state, institution=institution, **dates)
    factories.session(training_class)
    factories.enrolment(training_class)

    response = act(as_(request.getfixturevalue(caller)), training_class, verb)

    assert response.status_code == 200, response.json()
    assert response.json()["status"] == target


@pytest.mark.parametrize(
    ("verb", "caller"),
    [
        (verb, caller)
        for verb in INSTITUTION_MOVES
        for caller in ("stranger_admin", "trainer_user", "officer", "auditor", "trainee")
        # The bureau, too, can interrupt a class and let it go on.
        if not (caller == "officer" and verb in {"suspend", "resume"})
    ],
)
def test_others_may_not_move_an_institutions_class(verb, caller, as_, request, institution):
    training_class = factories.training_class("enrolling", institution=institution)

    response = act(as_(request.getfixturevalue(caller)), training_class, verb)

    assert response.status_code == 403
    training_class.refresh_from_db()
    assert training_class.status == "enrolling"


@pytest.mark.parametrize("verb", BUREAU_MOVES)
@pytest.mark.parametrize(
    "caller", ["institution_admin", "officer_elsewhere", "trainer_user", "auditor", "trainee"]
)
def test_only_the_bureau_of_the_region_decides(verb, caller, as_, request, institution):
    training_class = factories.training_class("filed", institution=institution)

    response = act(as_(request.getfixturevalue(caller)), training_class, verb)

    assert response.status_code == 403


@pytest.mark.parametrize("verb", INSTITUTION_MOVES)
def test_a_strangers_draft_cannot_be_moved_nor_found(verb, as_, stranger_admin, institution):
    training_class = factories.training_class("draft", institution=institution)

    assert act(as_(stranger_admin), training_class, verb).status_code == 404


@pytest.mark.parametrize("verb", sorted(WITH_REASON))
def test_a_reason_is_asked_for(verb, as_, request, institution):
    caller = "officer" if verb == "return" else "institution_admin"
    training_class = factories.training_class("filed", institution=institution)

    response = as_(request.getfixturevalue(caller)).post(f"{URL}/{training_class.pk}/{verb}", {})

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == "#/reason"


def test_a_refusal_comes_with_its_facts(as_, institution_admin, institution):
    training_class = factories.training_class("enrolling", institution=institution)
    factories.session(training_class, trainer=None)

    response = act(as_(institution_admin), training_class, "file")

    assert response.status_code == 409
    assert response.json()["code"] == "sessions_incomplete"
    assert response.json()["facts"] == {"sessions": 1, "without_trainer": 1, "without_venue": 0}


def test_an_officer_who_teaches_there_does_not_decide(as_, institution):
    insider = factories.user(
        roles=[(Role.OFFICER, factories.bureau(institution.region)), (Role.TRAINER, institution)]
    )
    training_class = factories.training_class("filed", institution=institution)

    response = act(as_(insider), training_class, "approve")

    assert response.status_code == 409
    assert response.json()["code"] == "own_institution"


# -- change -----------------------------------------------------------------------------------


def test_a_change_needs_the_version_that_it_changes(as_, institution_admin, institution):
    training_class = factories.training_class("draft", institution=institution)
    client, path = as_(institution_admin), f"{URL}/{training_class.pk}"
    etag = client.get(path)["ETag"]

    blind = client.patch(path, {"seats": 12})
    changed = client.patch(path, {"seats": 12}, HTTP_IF_MATCH=etag)
    late = client.patch(path, {"seats": 15}, HTTP_IF_MATCH=etag)

    assert (blind.status_code, changed.status_code, late.status_code) == (428, 200, 412)
    assert changed.json()["seats"] == 12


def test_the_version_in_a_list_by_distance_is_the_version_of_the_class(
    as_, institution_admin, institution
):
    venue = factories.venue(institution)
    factories.training_class("enrolling", institution=institution, venue=venue)
    client = as_(institution_admin)

    [near] = client.get(f"{URL}?near=27.84,113.13").json()["results"]
    [plain] = client.get(URL).json()["results"]

    assert near["distance_km"] is not None
    assert plain["distance_km"] is None
    assert near["version"] == plain["version"]


def test_others_do_not_change_a_class(as_, stranger_admin, institution):
    training_class = factories.training_class("enrolling", institution=institution)
    client, path = as_(stranger_admin), f"{URL}/{training_class.pk}"

    response = client.patch(path, {"seats": 12}, HTTP_IF_MATCH=client.get(path)["ETag"])

    assert response.status_code == 403


# -- list -------------------------------------------------------------------------------------


def found(client, query):
    response = client.get(f"{URL}?{query}")
    assert response.status_code == 200, response.json()
    return {row["name"] for row in response.json()["results"]}


def test_the_list_is_narrowed_as_asked(as_):
    county, elsewhere = factories.region(), factories.region(factories.COUNTY_ELSEWHERE)
    electrician = factories.occupation(code="6-29-03-01")
    school = factories.institution()
    factories.training_class(
        "enrolling",
        name="甲",
        institution=school,
        region=county,
        programme=factories.programme(occupation=electrician),
    )
    factories.training_class("enrolling", name="乙", region=elsewhere, starts_on=day(20))
    factories.training_class("in_progress", name="丙", region=county)
    client = as_(None)

    assert found(client, "status=enrolling") == {"甲", "乙"}
    assert found(client, f"region={county.pk}") == {"甲", "丙"}
    assert found(client, f"region={factories.CITY}") == {"甲", "乙", "丙"}
    assert found(client, "occupation=6-29-03-01") == {"甲"}
    assert found(client, f"occupation={electrician.pk}") == {"甲"}
    assert found(client, f"starts_after={day(20)}") == {"乙"}
    assert found(client, f"starts_before={day(7)}") == {"甲", "丙"}
    assert found(client, f"institution={school.pk}") == {"甲"}
    assert found(client, f"status=enrolling&region={county.pk}&starts_after={day(1)}") == {"甲"}


@pytest.mark.parametrize(
    "query",
    [
        "status=open",
        "region=4302",
        "starts_after=tomorrow",
        "near=27.83",
        "near=91,113",
        "near=27.83,181",
        "near=a,b",
        "mine=yes",
        "institution=1",
        "seats=3",
        "status=",
    ],
)
def test_a_filter_that_means_nothing_is_refused(query, as_):
    response = as_(None).get(f"{URL}?{query}")

    assert response.status_code == 400
    assert response.json()["errors"][0]["parameter"] == query.split("=")[0]


def test_near_keeps_what_is_within_50_kilometres_and_tells_how_far(as_):
    # One degree of latitude is 111.2 km: 0.44° is 48.9 km, 0.46° is 51.2 km.
    for name, north, east in (
        ("这里", "27.830000", "113.130000"),
        ("近", "28.270000", "113.130000"),
        ("远", "28.290000", "113.130000"),
        # Inside the box, outside the circle.
        ("角落", "28.230000", "113.580000"),
    ):
        school = factories.institution()
        venue = factories.venue(school, latitude=Decimal(north), longitude=Decimal(east))
        factories.training_class("enrolling", name=name, institution=school, venue=venue)
    factories.training_class("enrolling", name="无教室")

    rows = as_(None).get(f"{URL}?near=27.83,113.13").json()["results"]

    distances = {row["name"]: row["distance_km"] for row in rows}
    assert distances == {"这里": 0.0, "近": pytest.approx(48.9, abs=0.1)}


def test_mine_are_the_classes_that_one_is_in_or_teaches(as_, trainee, trainer_user):
    joined = factories.training_class("enrolling", name="报名的")
    factories.enrolment(joined, trainee.person)
    factories.enrolment(
        factories.training_class("enrolling", name="退出的"), trainee.person, status="withdrawn"
    )
    taught = factories.training_class("enrolling", name="任教的")
    factories.session(taught, trainer=trainer_user.trainers.get())

    assert found(as_(trainee), "mine=true") == {"报名的"}
    assert found(as_(trainer_user), "mine=true") == {"任教的"}
    assert found(as_(trainee), "mine=false") == {"报名的", "退出的", "任教的"}
    assert as_(None).get(f"{URL}?mine=true").status_code == 401


def test_planned_minutes_count_what_was_not_cancelled(as_):
    training_class = factories.training_class("enrolling")
    factories.session(training_class)
    factories.session(training_class, status="cancelled")

    assert as_(None).get(f"{URL}/{training_class.pk}").json()["planned_minutes"] == 180


def test_neighbours_are_expanded_beside_their_ids(as_):
    school = factories.institution()
    training_class = factories.training_class(
        "enrolling", institution=school, venue=factories.venue(school)
    )

    shown = as_(None).get(f"{URL}/{training_class.pk}?expand=institution,programme,venue").json()

    assert shown["institution"]["name"] == school.name
    assert "credit_code" not in shown["institution"]
    assert shown["programme"]["id"] == shown["programme_id"]
    assert shown["venue"]["id"] == shown["venue_id"]


@pytest.mark.parametrize("rows", [3, 60])
def test_the_list_costs_the_same_for_3_and_60_classes(
    rows, as_, officer, django_assert_num_queries
):
    school = factories.institution()
    venue = factories.venue(school)
    for _ in range(rows):
        training_class = factories.training_class("enrolling", institution=school, venue=venue)
        factories.session(training_class)
    client = as_(officer)

    with django_assert_num_queries(2):
        client.get(f"{URL}?limit=100&near=27.83,113.13")
    with django_assert_num_queries(5):
        client.get(f"{URL}?limit=100&expand=institution,programme,venue")
