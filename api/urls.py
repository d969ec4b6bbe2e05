"""THE table of contents: one line per path."""

from typing import Any

from django.urls import URLPattern, path

from api import documents, downloads, health, pages
from api.home import Home
from api.people.auth import Codes, Sessions, Tokens
from api.people.employment_spells import EmploymentSpells
from api.people.files import Files, UploadParts, UploadSessions
from api.people.journal import Journal
from api.people.me import Me, MyPerson
from api.people.memberships import Memberships, OrganisationMemberships
from api.people.notices import Notices
from api.people.organisations import Institutions, Organisations
from api.people.person_categories import PersonCategories
from api.people.person_claims import PersonClaims
from api.people.persons import PersonLookups, PersonReveals, Persons
from api.people.policies import Policies, PolicyInForce, PolicyKinds
from api.people.regions import Regions
from api.training.accreditations import Accreditations
from api.training.attendance import AttendanceSheets, EnrolmentAttendance, SessionRosters
from api.training.calendar import Calendar, CalendarLinks
from api.training.certificates import Certificates
from api.training.check_ins import CheckInKeys, CheckIns
from api.training.classes import Classes
from api.training.closings import Closings
from api.training.enrolments import ClassEligibility, ClassEnrolments, Enrolments
from api.training.exams import ClassExams, ExamResults, Exams
from api.training.filings import ClassFilings
from api.training.follow_ups import ContactAttempts, FollowUps
from api.training.observations import Observations
from api.training.occupations import Occupations
from api.training.programmes import Programmes
from api.training.roster_imports import RosterImports
from api.training.rosters import Rosters
from api.training.sessions import ClassSessions, TimetableSessions
from api.training.trainers import Trainers
from api.training.venues import Venues
from api.training.verify import Verifications
from api.training.verify import page as verification_page

V1 = "api/v1/"
READ: dict[str, Any] = {"get": "retrieve"}
LIST: dict[str, Any] = {"get": "list"}

urlpatterns: list[URLPattern] = [
    path("", pages.front),
    path("problems/<str:code>", pages.problem),
    path("health/live", health.live),
    path("health/ready", health.ready),
    path("api/v1/openapi.yaml", documents.openapi),
    path("api/docs", documents.SwaggerUi.as_view()),
    path("api/redoc", documents.Redoc.as_view()),
    path("api/redoc.js", documents.redoc_script),
    # accounts
    path(V1 + "auth/codes", Codes.as_view({"post": "create"})),
    path(V1 + "auth/tokens", Tokens.as_view({"post": "create"})),
    path(V1 + "auth/tokens/refresh", Tokens.as_view({"post": "refresh"})),
    path(V1 + "auth/sessions", Sessions.as_view(LIST)),
    path(V1 + "auth/sessions/<uuid:pk>", Sessions.as_view({"delete": "destroy"})),
    # the caller
    path(V1 + "home", Home.as_view(READ)),
    path(V1 + "me", Me.as_view(READ)),
    path(V1 + "me/person", MyPerson.as_view({**READ, "put": "update"})),
    path(V1 + "notices", Notices.as_view(LIST)),
    path(V1 + "notices/<uuid:pk>/read", Notices.as_view({"post": "read"})),
    # persons
    path(V1 + "persons", Persons.as_view({**LIST, "post": "create"})),
    path(V1 + "persons/lookups", PersonLookups.as_view({"post": "create"})),
    path(V1 + "persons/<uuid:pk>", Persons.as_view(READ)),
    path(V1 + "persons/<uuid:pk>/reveal", PersonReveals.as_view({"post": "create"})),
    path(
        V1 + "persons/<uuid:person_id>/categories",
        PersonCategories.as_view({**LIST, "post": "create"}),
    ),
    path(V1 + "person-claims", PersonClaims.as_view(LIST)),
    path(V1 + "person-claims/<uuid:pk>", PersonClaims.as_view(READ)),
    path(V1 + "person-claims/<uuid:pk>/confirm", PersonClaims.as_view({"post": "confirm"})),
    path(V1 + "person-claims/<uuid:pk>/refuse", PersonClaims.as_view({"post": "refuse"})),
    # organisations
    path(V1 + "organisations", Organisations.as_view(LIST)),
    path(V1 + "organisations/<uuid:pk>", Organisations.as_view(READ)),
    path(
        V1 + "organisations/<uuid:organisation_id>/memberships",
        OrganisationMemberships.as_view({"post": "create"}),
    ),
    path(V1 + "institutions", Institutions.as_view({**LIST, "post": "create"})),
    path(V1 + "institutions/<uuid:pk>", Institutions.as_view(READ)),
    path(V1 + "memberships", Memberships.as_view(LIST)),
    path(V1 + "memberships/<uuid:pk>", Memberships.as_view({"delete": "destroy"})),
    # policies
    path(V1 + "policies", Policies.as_view({**LIST, "post": "create"})),
    path(V1 + "policies/in-force", PolicyInForce.as_view(READ)),
    path(V1 + "policies/<uuid:pk>", Policies.as_view(READ)),
    path(V1 + "policy-kinds", PolicyKinds.as_view(READ)),
    # journal
    path(V1 + "journal", Journal.as_view(LIST)),
    # register
    path(V1 + "regions", Regions.as_view(LIST)),
    path(V1 + "regions/<str:pk>", Regions.as_view(READ)),
    # files
    path("files/<str:token>", downloads.stored_file),
    path(V1 + "files", Files.as_view({"post": "create"})),
    path(V1 + "files/<uuid:pk>", Files.as_view(READ)),
    path(V1 + "upload-sessions", UploadSessions.as_view({"post": "create"})),
    path(V1 + "upload-sessions/<uuid:pk>", UploadSessions.as_view(READ)),
    path(V1 + "upload-sessions/<uuid:pk>/complete", UploadSessions.as_view({"post": "complete"})),
    path(
        V1 + "upload-sessions/<uuid:pk>/parts/<int:number>",
        UploadParts.as_view({"put": "update"}),
    ),
    # enrolments
    path(V1 + "classes/<uuid:class_id>/eligibility", ClassEligibility.as_view(READ)),
    path(
        V1 + "classes/<uuid:class_id>/enrolments",
        ClassEnrolments.as_view({**LIST, "post": "create"}),
    ),
    path(V1 + "enrolments", Enrolments.as_view(LIST)),
    path(V1 + "enrolments/<uuid:pk>", Enrolments.as_view(READ)),
    path(V1 + "enrolments/<uuid:pk>/withdraw", Enrolments.as_view({"post": "withdraw"})),
    path(V1 + "enrolments/<uuid:pk>/accept", Enrolments.as_view({"post": "accept"})),
    path(V1 + "enrolments/<uuid:pk>/admit", Enrolments.as_view({"post": "admit"})),
    path(V1 + "enrolments/<uuid:pk>/reject", Enrolments.as_view({"post": "reject"})),
    path(V1 + "enrolments/<uuid:pk>/waitlist", Enrolments.as_view({"post": "waitlist"})),
    path(V1 + "enrolments/<uuid:pk>/offer", Enrolments.as_view({"post": "offer"})),
    path(V1 + "enrolments/<uuid:pk>/drop", Enrolments.as_view({"post": "drop"})),
    # catalogue
    path(V1 + "occupations", Occupations.as_view(LIST)),
    path(V1 + "occupations/<uuid:pk>", Occupations.as_view(READ)),
    path(V1 + "programmes", Programmes.as_view(LIST)),
    path(V1 + "programmes/<uuid:pk>", Programmes.as_view(READ)),
    # accreditations
    path(V1 + "accreditations", Accreditations.as_view(LIST | {"post": "create"})),
    path(V1 + "accreditations/<uuid:pk>", Accreditations.as_view(READ)),
    path(V1 + "accreditations/<uuid:pk>/approve", Accreditations.as_view({"post": "approve"})),
    path(V1 + "accreditations/<uuid:pk>/refuse", Accreditations.as_view({"post": "refuse"})),
    path(V1 + "accreditations/<uuid:pk>/revoke", Accreditations.as_view({"post": "revoke"})),
    # trainers and venues
    path(V1 + "trainers", Trainers.as_view(LIST | {"post": "create"})),
    path(V1 + "trainers/<uuid:pk>", Trainers.as_view(READ | {"patch": "partial_update"})),
    path(V1 + "venues", Venues.as_view(LIST | {"post": "create"})),
    path(V1 + "venues/<uuid:pk>", Venues.as_view(READ | {"patch": "partial_update"})),
    # classes
    path(V1 + "classes", Classes.as_view(LIST | {"post": "create"})),
    path(V1 + "classes/<uuid:pk>", Classes.as_view(READ | {"patch": "partial_update"})),
    path(V1 + "classes/<uuid:pk>/publish", Classes.as_view({"post": "publish"})),
    path(V1 + "classes/<uuid:pk>/file", Classes.as_view({"post": "file"})),
    path(V1 + "classes/<uuid:pk>/return", Classes.as_view({"post": "send_back"})),
    path(V1 + "classes/<uuid:pk>/approve", Classes.as_view({"post": "approve"})),
    path(V1 + "classes/<uuid:pk>/start", Classes.as_view({"post": "start"})),
    path(V1 + "classes/<uuid:pk>/suspend", Classes.as_view({"post": "suspend"})),
    path(V1 + "classes/<uuid:pk>/resume", Classes.as_view({"post": "resume"})),
    path(V1 + "classes/<uuid:pk>/cancel", Classes.as_view({"post": "cancel"})),
    # sessions
    path(V1 + "classes/<uuid:class_id>/filings", ClassFilings.as_view(LIST)),
    path(V1 + "classes/<uuid:class_id>/sessions", ClassSessions.as_view(LIST | {"post": "create"})),
    path(V1 + "sessions", TimetableSessions.as_view(LIST)),
    path(V1 + "sessions/<uuid:pk>", TimetableSessions.as_view(READ)),
    path(V1 + "sessions/<uuid:pk>/cancel", TimetableSessions.as_view({"post": "cancel"})),
    path(V1 + "sessions/<uuid:pk>/reschedule", TimetableSessions.as_view({"post": "reschedule"})),
    path(V1 + "calendar-links", CalendarLinks.as_view({"post": "create"})),
    path(V1 + "calendar.ics", Calendar.as_view({"get": "show"})),
    # exams
    path(V1 + "classes/<uuid:class_id>/exams", ClassExams.as_view(LIST | {"post": "create"})),
    path(V1 + "exams/<uuid:pk>", Exams.as_view(READ)),
    path(V1 + "exams/<uuid:exam_id>/results", ExamResults.as_view(LIST | {"put": "record"})),
    # closing
    path(V1 + "classes/<uuid:pk>/closing-preview", Closings.as_view({"get": "preview"})),
    path(V1 + "classes/<uuid:pk>/close", Closings.as_view({"post": "close"})),
    # certificates
    path(V1 + "certificates", Certificates.as_view(LIST)),
    path(V1 + "certificates/<uuid:pk>", Certificates.as_view(READ)),
    path(V1 + "certificates/<uuid:pk>/image", Certificates.as_view({"get": "image"})),
    path(V1 + "certificates/<uuid:pk>/pdf", Certificates.as_view({"get": "pdf"})),
    path(V1 + "certificates/<uuid:pk>/qr", Certificates.as_view({"get": "qr"})),
    path(V1 + "certificates/<uuid:pk>/revoke", Certificates.as_view({"post": "revoke"})),
    path(V1 + "certificates/<uuid:pk>/replace", Certificates.as_view({"post": "replace"})),
    path(V1 + "verify/<str:code>", Verifications.as_view(READ)),
    path("verify/<str:code>", verification_page),
    # follow-ups
    path(V1 + "follow-ups", FollowUps.as_view(LIST)),
    path(V1 + "follow-ups/<uuid:pk>", FollowUps.as_view(READ)),
    path(V1 + "follow-ups/<uuid:task_id>/answers", Observations.as_view({"post": "answer_task"})),
    path(
        V1 + "follow-ups/<uuid:task_id>/observations",
        Observations.as_view(LIST | {"post": "observe"}),
    ),
    path(
        V1 + "follow-ups/<uuid:task_id>/attempts",
        ContactAttempts.as_view(LIST | {"post": "create"}),
    ),
    path(V1 + "follow-ups/<uuid:pk>/verify", FollowUps.as_view({"post": "verify"})),
    path(V1 + "follow-ups/<uuid:pk>/close", FollowUps.as_view({"post": "close"})),
    path(
        V1 + "follow-ups/<uuid:pk>/mark-unreachable",
        FollowUps.as_view({"post": "mark_unreachable"}),
    ),
    path(V1 + "follow-ups/<uuid:pk>/refuse", FollowUps.as_view({"post": "refuse"})),
    path(V1 + "follow-ups/<uuid:pk>/reopen", FollowUps.as_view({"post": "reopen"})),
    path(V1 + "follow-ups/<uuid:pk>/exclude", FollowUps.as_view({"post": "exclude"})),
    # employment
    path(V1 + "employment-spells", EmploymentSpells.as_view(LIST | {"post": "create"})),
    path(V1 + "employment-spells/<uuid:pk>", EmploymentSpells.as_view(READ)),
    path(V1 + "employment-spells/<uuid:pk>/end", EmploymentSpells.as_view({"post": "end"})),
    # attendance
    path(V1 + "sessions/<uuid:session_id>/check-ins", CheckIns.as_view({"post": "create"})),
    path(V1 + "sessions/<uuid:pk>/check-in-key", CheckInKeys.as_view({"get": "show"})),
    path(V1 + "sessions/<uuid:pk>/roster", SessionRosters.as_view({"get": "show", "put": "mark"})),
    path(V1 + "sessions/<uuid:pk>/finish", SessionRosters.as_view({"post": "finish"})),
    path(V1 + "enrolments/<uuid:pk>/attendance", EnrolmentAttendance.as_view({"get": "show"})),
    path(
        V1 + "classes/<uuid:class_id>/attendance-sheet.xlsx",
        AttendanceSheets.as_view({"get": "show"}),
    ),
    # rosters
    path(
        V1 + "classes/<uuid:class_id>/roster-imports",
        RosterImports.as_view(LIST | {"post": "create"}),
    ),
    path(V1 + "roster-imports/<uuid:pk>", RosterImports.as_view(READ), name="roster-import"),
    path(V1 + "classes/<uuid:class_id>/roster.xlsx", Rosters.as_view({"get": "sheet"})),
]
