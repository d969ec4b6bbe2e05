"""The doors of signing in, and that whatever ends a right ends it for the very next request."""

import time_machine
from django.utils import timezone

from people.models import DeviceSession, Membership, User
from people.roles import Role
from tests import factories

CODES, TOKENS, REFRESH = "/api/v1/auth/codes", "/api/v1/auth/tokens", "/api/v1/auth/tokens/refresh"
DEVICE = {"id": "handset-1", "platform": "android", "name": "Testphone"}


def sign_in(client, phone="13900012345"):
    challenge = client.post(CODES, {"phone": phone}).json()["challenge_id"]
    body = {"challenge_id": challenge, "code": "000000", "device": DEVICE}
    return client.post(TOKENS, body)


def bearer(client, access):
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")
    return client


def test_code_answer_is_the_same_for_a_known_and_an_unknown_phone(as_):
    factories.user(phone="13812340001")

    known, unknown = (
        as_(None).post(CODES, {"phone": phone}) for phone in ("13812340001", "13812340002")
    )

    assert (known.status_code, unknown.status_code) == (202, 202)
    assert {**known.json(), "challenge_id": ""} == {**unknown.json(), "challenge_id": ""}
    assert known.json()["expires_in"] == 300
    assert known.json()["resend_after"] == 60


def test_second_code_within_a_minute_is_429_with_retry_after(as_):
    as_(None).post(CODES, {"phone": "13812340001"})

    response = as_(None).post(CODES, {"phone": "+86 138-1234-0001"})

    assert response.status_code == 429
    assert response.json()["code"] == "too_many_codes"
    assert 1 <= int(response["Retry-After"]) <= 60


def test_wrong_phone_is_named(as_):
    response = as_(None).post(CODES, {"phone": "12812340001"})

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == "#/phone"


def test_sign_in_answers_tokens_that_work(as_):
    client = as_(None)

    response = sign_in(client)

    assert response.status_code == 201
    body = response.json()
    assert set(body) == {
        "access", "access_expires_in", "refresh", "refresh_expires_in", "session_id"
    }  # fmt: skip
    assert body["access_expires_in"] == 900
    assert response["Cache-Control"] == "no-store"
    assert bearer(client, body["access"]).get("/api/v1/auth/sessions").status_code == 200


def test_wrong_code_is_401(as_):
    client = as_(None)
    challenge = client.post(CODES, {"phone": "13900012345"}).json()["challenge_id"]

    body = {"challenge_id": challenge, "code": "000001", "device": DEVICE}
    response = client.post(TOKENS, body)

    assert response.status_code == 401
    assert response.json()["code"] == "wrong_credentials"
    assert response["WWW-Authenticate"] == "Bearer"


def test_password_signs_in_and_unknown_phone_gets_the_same_bytes_as_a_wrong_password(as_):
    factories.user(phone="13812340001", password="right horse")
    wrong = {"phone": "13812340001", "password": "wrong", "device": DEVICE}
    unknown = wrong | {"phone": "13812340002"}

    refused = [as_(None).post(TOKENS, body, HTTP_X_REQUEST_ID="r" * 8) for body in (wrong, unknown)]
    accepted = as_(None).post(TOKENS, wrong | {"password": "right horse"})

    assert accepted.status_code == 201
    assert [response.status_code for response in refused] == [401, 401]
    assert refused[0].content == refused[1].content


def test_neither_code_nor_password_is_400(as_):
    for body in ({}, {"phone": "13812340001", "code": "000000"}, {"password": "x" * 10}):
        response = as_(None).post(TOKENS, body | {"device": DEVICE})

        assert response.status_code == 400


def test_refresh_rotates_also_with_the_dead_access_token_in_the_header(as_):
    client = as_(None)
    tokens = sign_in(client).json()
    with time_machine.travel(timezone.now() + timezone.timedelta(seconds=901), tick=True):
        assert bearer(client, tokens["access"]).get("/api/v1/auth/sessions").status_code == 401

        response = client.post(REFRESH, {"refresh": tokens["refresh"]})

        assert response.status_code == 200
        fresh = response.json()["access"]
        assert bearer(client, fresh).get("/api/v1/auth/sessions").status_code == 200


def test_lost_reply_gets_the_same_successor_and_the_rest_of_its_life(as_):
    tokens = sign_in(as_(None)).json()
    first = as_(None).post(REFRESH, {"refresh": tokens["refresh"]}).json()
    with time_machine.travel(timezone.now() + timezone.timedelta(seconds=30), tick=True):
        again = as_(None).post(REFRESH, {"refresh": tokens["refresh"]}).json()

    assert (again["access"], again["refresh"]) == (first["access"], first["refresh"])
    assert 860 <= again["access_expires_in"] <= 871


def test_reused_token_ends_the_session_at_once(as_):
    client = as_(None)
    tokens = sign_in(client).json()
    second = client.post(REFRESH, {"refresh": tokens["refresh"]}).json()
    with time_machine.travel(timezone.now() + timezone.timedelta(seconds=61), tick=True):
        response = client.post(REFRESH, {"refresh": tokens["refresh"]})
        assert response.status_code == 401
        assert response.json()["code"] == "token_dead"

        assert bearer(client, second["access"]).get("/api/v1/auth/sessions").status_code == 401


def test_sessions_lists_ones_own_devices_only(as_, trainee, officer):
    as_(officer, "desk")

    response = as_(trainee, "phone-7").get("/api/v1/auth/sessions")

    rows = response.json()["results"]
    assert [(row["device_id"], row["current"]) for row in rows] == [("phone-7", True)]


def test_signing_out_bites_on_the_next_request(as_, trainee):
    client = as_(trainee)
    session = client.get("/api/v1/auth/sessions").json()["results"][0]["id"]

    assert client.delete(f"/api/v1/auth/sessions/{session}").status_code == 204

    assert client.get("/api/v1/auth/sessions").status_code == 401


def test_a_stranger_cannot_sign_a_device_out(as_, trainee, officer):
    as_(trainee)
    session = DeviceSession.objects.get(user=trainee)
    absent = "01890000-0000-7000-8000-000000000000"

    client = as_(officer)
    responses = [
        client.delete(f"/api/v1/auth/sessions/{pk}", HTTP_X_REQUEST_ID="r" * 8)
        for pk in (session.pk, absent)
    ]

    assert [response.status_code for response in responses] == [404, 404]
    assert responses[0].content == responses[1].content
    assert DeviceSession.objects.get(pk=session.pk).revoked_at is None


def test_disabling_the_account_bites_on_the_next_request(as_, trainee):
    client = as_(trainee)
    User.objects.filter(pk=trainee.pk).update(is_active=False)

    assert client.get("/api/v1/auth/sessions").status_code == 401


def test_removing_the_membership_bites_on_the_next_request(as_, auditor):
    client = as_(auditor)
    assert client.get("/api/v1/journal").status_code == 200
    Membership.objects.filter(user=auditor, role=Role.AUDITOR).delete()

    assert client.get("/api/v1/journal").status_code == 403


def test_sessions_list_takes_two_statements(as_, trainee, django_assert_num_queries):
    client = as_(trainee)

    with django_assert_num_queries(2):
        client.get("/api/v1/auth/sessions")
