"""What is true of classes, the people in them, and what came of it."""

from training.models.accreditations import Accreditation
from training.models.attendance import AttendanceEvent, AttendanceRecord
from training.models.certificates import Certificate, SerialCounter
from training.models.classes import ClassFiling, TrainingClass
from training.models.enrolments import Enrolment
from training.models.exams import Exam, ExamResult
from training.models.follow_ups import ContactAttempt, FollowUpTask, OutcomeObservation
from training.models.programmes import Occupation, Programme
from training.models.roster_imports import RosterImport
from training.models.sessions import ClassSession
from training.models.trainers import Trainer
from training.models.venues import Venue

__all__ = [
    "Accreditation",
    "AttendanceEvent",
    "AttendanceRecord",
    "Certificate",
    "ClassFiling",
    "ClassSession",
    "ContactAttempt",
    "Enrolment",
    "Exam",
    "ExamResult",
    "FollowUpTask",
    "Occupation",
    "OutcomeObservation",
    "Programme",
    "RosterImport",
    "SerialCounter",
    "Trainer",
    "TrainingClass",
    "Venue",
]
