"""A phone's side of the contract over real HTTP: nothing here knows Django.

``python -m tests.journeys.phone http://127.0.0.1:8000`` walks the line against a running server.
"""

import base64
import hashlib
import hmac
import json
import struct
import sys
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

SHANGHAI = timezone(timedelta(hours=8))


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Phone:
    """One signed-in device."""

    base: str
    device: str = field(default_factory=lambda: f"phone-{uuid.uuid4()}")
    token: str = ""

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send one request; any status is an answer."""
        data = None if body is None else json.dumps(body).encode()
        sent = {
            "Accept": "application/json",
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }
        if data is not None:
            sent["Content-Type"] = "application/json"
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        if method == "POST" and "Idempotency-Key" not in sent:
            sent["Idempotency-Key"] = str(uuid.uuid4())
        url = path if path.startswith("http") else f"{self.base}{path}"
        request = urllib.request.Request(url, data=data, method=method, headers=sent)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                return Answer(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, dict(error.headers), error.read())

    def do(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send one request that has to succeed, and read its body."""
        answer = self.call(method, f"/api/v1{path}", body, **headers)
        assert 200 <= answer.status < 300, (method, path, answer.status, answer.body.decode())
        return answer.json if answer.body else None

    def sign_in(self, phone: str) -> "Phone":
        """Sign in by the code of the demonstration profile."""
        challenge = self.do("POST", "/auth/codes", {"phone": phone})["challenge_id"]
        device = {"id": self.device, "platform": "test", "name": "journey"}
        body = {"challenge_id": challenge, "code": "000000", "device": device}
        self.token = self.do("POST", "/auth/tokens", body)["access"]
        return self


def totp(secret: str, step: int) -> str:
    """Show what any TOTP library shows (RFC 6238, SHA-1, six digits)."""
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", step), hashlib.sha1).digest()
    offset = digest[-1] & 15
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def id_number(first17: str) -> str:
    """Complete an invented resident ID number with its check character (ISO 7064 MOD 11-2)."""
    weights = [2**power % 11 for power in range(17, 0, -1)]
    total = sum(int(digit) * weight for digit, weight in zip(first17, weights, strict=True))
    return first17 + "10X98765432"[total % 11]


def now() -> datetime:
    return datetime.now(SHANGHAI)


def sign_up(base: str) -> Phone:
    """Let somebody new register from their phone."""
    chance = uuid.uuid4().int
    phone = Phone(base).sign_in(f"1390001{chance % 10_000:04d}")
    if phone.do("GET", "/me")["person"] is None:
        number = id_number(
            f"430202{1970 + chance % 30}0{1 + chance % 9}{10 + chance % 18}{chance % 1000:03d}"
        )
        phone.do(
            "PUT",
            "/me/person",
            {"name": "样来宾", "id_number": number, "region_id": "430202001000"},
        )
    return phone


def open_class(institution: Phone) -> tuple[dict[str, Any], dict[str, Any]]:
    """Plan a class of one session that is going on now, in a room of its own, and publish it."""
    today = now().date()
    programme = institution.do("GET", "/programmes?limit=100")["results"][0]
    accredited = institution.do("GET", "/accreditations?status=approved&limit=100")["results"]
    assert programme["occupation_id"] in {row["occupation_id"] for row in accredited}
    venue = institution.do(
        "POST",
        "/venues",
        {
            "name": "样板间",
            "address": "株洲市示范路9号",
            "latitude": "27.860000",
            "longitude": "113.150000",
            "capacity": 30,
        },
    )
    trainer = institution.do("POST", "/trainers", {"name": "样客座", "qualification": "技师"})
    plan = {
        "programme_id": programme["id"],
        "venue_id": venue["id"],
        "name": "电工一日班",
        "seats": 5,
        "enrolment_opens_on": str(today),
        "enrolment_closes_on": str(today),
        "starts_on": str(today),
        "ends_on": str(today + timedelta(days=1)),
    }
    planned = institution.do("POST", "/classes", plan)
    session = institution.do(
        "POST",
        f"/classes/{planned['id']}/sessions",
        {
            "starts_at": (now() - timedelta(minutes=5)).isoformat(),
            "ends_at": (now() + timedelta(minutes=115)).isoformat(),
            "trainer_id": trainer["id"],
            "venue_id": venue["id"],
        },
    )
    return institution.do("POST", f"/classes/{planned['id']}/publish"), session


def check_in(trainee: Phone, teacher: Phone, session_id: str) -> dict[str, Any]:
    """Read the rotating code off the teacher's device and punch."""
    key = teacher.do("GET", f"/sessions/{session_id}/check-in-key")
    step = int(now().timestamp()) // key["step_seconds"]
    punch = trainee.do(
        "POST",
        f"/sessions/{session_id}/check-ins",
        {
            "kind": "in",
            "code": totp(key["secret"], step),
            "captured_at": now().isoformat(),
            "device_id": trainee.device,
        },
    )
    assert punch["verdict"] == "accepted", punch
    return punch


def examine_and_close(institution: Phone, class_id: str) -> None:
    """Hold the exam, pass everyone who may sit, and close the class."""
    exam = institution.do("POST", f"/classes/{class_id}/exams", {"held_on": str(now().date())})
    preview = institution.do("GET", f"/classes/{class_id}/closing-preview")
    sitting = [row["enrolment_id"] for row in preview["decisions"] if not row["outcome"]]
    results = [{"enrolment_id": pk, "score": "88.00"} for pk in sitting]
    institution.do("PUT", f"/exams/{exam['id']}/results", {"results": results})
    assert institution.do("POST", f"/classes/{class_id}/close")["status"] == "closed"


def certificate_of(trainee: Phone, enrolment_id: str) -> str:
    """Show the certificate and open the page that its QR code points to, as a stranger."""
    own = trainee.do("GET", "/certificates?mine=true&limit=100")["results"]
    certificate = next(row for row in own if row["enrolment_id"] == enrolment_id)
    image = trainee.call("GET", f"/api/v1/certificates/{certificate['id']}/image")
    assert image.status == 200, image
    assert image.body.startswith(b"\x89PNG")
    stranger = Phone(trainee.base)
    assert stranger.do("GET", f"/verify/{certificate['code']}")["status"] == "valid"
    page = stranger.call("GET", certificate["verify_url"])
    assert page.status == 200
    return page.body.decode()


def answer_first_question(trainee: Phone, enrolment_id: str) -> None:
    """Tell that one works, and find the job on one's own record."""
    tasks = trainee.do("GET", "/follow-ups?mine=true&limit=100")["results"]
    task = next(
        row for row in tasks if row["enrolment_id"] == enrolment_id and row["checkpoint"] == "D7"
    )
    trainee.do(
        "POST",
        f"/follow-ups/{task['id']}/answers",
        {
            "working": True,
            "employment_form": "unit_contract",
            "employer_name": "样例电气安装有限公司",
            "starts_on": str(now().date()),
            "monthly_wage": "4500.00",
        },
    )
    spells = trainee.do("GET", "/employment-spells?mine=true")["results"]
    assert "样例电气安装有限公司" in {row["employer_name"] for row in spells}


def walk_from_sign_up(base: str) -> str:
    """A new trainee, a new class: from signing up to a certificate and a job."""
    trainee = sign_up(base)
    institution = Phone(base).sign_in("13900000011")
    officer = Phone(base).sign_in("13900000051")
    planned, session = open_class(institution)
    path = f"/classes/{planned['id']}"
    listed = Phone(base).do("GET", "/classes?status=enrolling&region=430202000000&limit=100")
    assert planned["id"] in {row["id"] for row in listed["results"]}

    assert trainee.do("GET", f"{path}/eligibility")["eligible"] is not False
    enrolment = trainee.do("POST", f"{path}/enrolments", {})
    assert enrolment["status"] == "admitted"
    institution.do("POST", f"{path}/file")
    assert officer.do("POST", f"{path}/approve")["status"] == "approved"
    institution.do("POST", f"{path}/start")

    check_in(trainee, institution, session["id"])
    institution.do("POST", f"/sessions/{session['id']}/finish")
    attendance = trainee.do("GET", f"/enrolments/{enrolment['id']}/attendance")
    assert float(attendance["rate"]) == 1
    examine_and_close(institution, planned["id"])
    page = certificate_of(trainee, enrolment["id"])
    answer_first_question(trainee, enrolment["id"])
    return page


def walk_running_class(base: str) -> str:
    """The demonstration trainee's class of today: from the check-in to the certificate."""
    trainee = Phone(base).sign_in("13900000001")
    trainer = Phone(base).sign_in("13900000021")
    institution = Phone(base).sign_in("13900000011")
    moment = now().isoformat().replace("+", "%2B")
    current = trainee.do("GET", f"/sessions?mine=true&from={moment}&to={moment}")["results"]
    session = next(row for row in current if row["status"] == "scheduled")
    enrolment = next(
        row
        for row in trainee.do("GET", "/enrolments?mine=true&limit=100")["results"]
        if row["training_class_id"] == session["training_class_id"]
    )

    check_in(trainee, trainer, session["id"])
    roster = trainer.do("GET", f"/sessions/{session['id']}/roster")["results"]
    marks = [
        {"enrolment_id": row["enrolment_id"], "status": "present"}
        for row in roster
        if row["status"] == "unmarked"
    ]
    trainer.do("PUT", f"/sessions/{session['id']}/roster", {"marks": marks})
    trainer.do("POST", f"/sessions/{session['id']}/finish")
    examine_and_close(institution, session["training_class_id"])
    return certificate_of(trainee, enrolment["id"])


if __name__ == "__main__":
    for walk in (walk_from_sign_up, walk_running_class):
        assert "有效" in walk(sys.argv[1])
        sys.stdout.write(f"{walk.__name__}: a valid certificate\n")
