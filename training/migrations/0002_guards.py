"""Set the guards: orders of events that the database itself refuses.

A later migration that alters one of these tables, or one they look at, writes its operations as
``operations = lifted(…)``: see ``people.guards``.
"""

from django.db import migrations

from people.guards import AppendOnly, Guard, Kept, changed, changed_once_set, operations

APPROVED = """NOT EXISTS (
    SELECT 1 FROM training_classsession s
    JOIN training_trainingclass c ON c.id = s.training_class_id
    WHERE s.id = NEW.session_id AND c.approved_at IS NOT NULL)"""
APPROVED_BY_THEN = """NOT EXISTS (
    SELECT 1 FROM training_classsession s
    JOIN training_trainingclass c ON c.id = s.training_class_id
    WHERE s.id = NEW.session_id AND c.approved_at <= NEW.happened_at AND c.status <> 'cancelled')"""
# Without an enrolment there is no such row either.
OF_THE_CLASS = """NOT EXISTS (
    SELECT 1 FROM training_classsession s
    JOIN training_enrolment e ON e.training_class_id = s.training_class_id
    WHERE s.id = NEW.session_id AND e.id = NEW.enrolment_id)"""
PASSED = """NOT EXISTS (
    SELECT 1 FROM training_enrolment e
    JOIN training_examresult r ON r.enrolment_id = e.id
    JOIN training_exam x ON x.id = r.exam_id
    WHERE e.id = NEW.enrolment_id AND e.status = 'completed' AND r.outcome = 'passed'
    AND x.held_on <= NEW.issued_on)"""
CERTIFIED = """EXISTS (
    SELECT 1 FROM training_certificate v WHERE v.enrolment_id = OLD.{} AND v.status = 'valid')"""
PASSED_AND_CERTIFIED = f"(OLD.outcome = 'passed' AND {CERTIFIED.format('enrolment_id')})"
RESULT_CHANGED = changed("outcome", "enrolment_id", "exam_id")
PRINTED_CHANGED = changed(
    "enrolment_id",
    "serial",
    "code",
    "issued_on",
    "person_name",
    "id_number_masked",
    "programme_name",
    "occupation_name",
    "level",
    "hours",
    "started_on",
    "ended_on",
    "institution_name",
)
EXPIRY_CHANGED = "COALESCE(NEW.expires_on, '9999-12-31') <> COALESCE(OLD.expires_on, '9999-12-31')"

GUARDS = [
    # -- the class
    Guard(
        "class_keeps_its_approval_start_and_end",
        "training_trainingclass",
        changed_once_set("approved_at", "started_at", "closed_at"),
        on=["UPDATE"],
    ),
    AppendOnly("filing_is_never_changed", "training_classfiling"),
    Guard(
        "session_stays_in_its_class",
        "training_classsession",
        changed("training_class_id"),
        on=["UPDATE"],
    ),
    # -- attendance
    Guard(
        "event_accepted_only_after_approval",
        "training_attendanceevent",
        f"(NEW.verdict = 'accepted' AND {APPROVED_BY_THEN})",
        on=["INSERT"],
    ),
    Guard(
        "event_accepted_is_of_the_class",
        "training_attendanceevent",
        f"(NEW.verdict = 'accepted' AND {OF_THE_CLASS})",
        on=["INSERT"],
    ),
    AppendOnly("event_is_never_changed", "training_attendanceevent"),
    Guard("record_only_after_approval", "training_attendancerecord", APPROVED),
    Guard("record_is_of_the_class", "training_attendancerecord", OF_THE_CLASS),
    # -- what came of it
    Guard(
        "enrolment_decided_only_after_class_start",
        "training_enrolment",
        """(NEW.status IN ('completed', 'failed', 'no_show') AND NOT EXISTS (
            SELECT 1 FROM training_trainingclass c
            WHERE c.id = NEW.training_class_id AND c.started_at IS NOT NULL))""",
    ),
    Guard(
        "enrolment_stays_in_its_class",
        "training_enrolment",
        changed("training_class_id"),
        on=["UPDATE"],
    ),
    Guard(
        "enrolment_certified_stays_completed",
        "training_enrolment",
        f"(OLD.status = 'completed' AND NEW.status <> 'completed' AND {CERTIFIED.format('id')})",
        on=["UPDATE"],
    ),
    Guard("exam_stays_in_its_class", "training_exam", changed("training_class_id"), on=["UPDATE"]),
    Guard(
        "result_is_of_the_class",
        "training_examresult",
        """NOT EXISTS (
            SELECT 1 FROM training_exam x
            JOIN training_enrolment e ON e.training_class_id = x.training_class_id
            WHERE x.id = NEW.exam_id AND e.id = NEW.enrolment_id)""",
    ),
    Guard(
        "result_passed_only_by_the_admitted",
        "training_examresult",
        """(NEW.outcome = 'passed' AND NOT EXISTS (
            SELECT 1 FROM training_enrolment e WHERE e.id = NEW.enrolment_id
            AND e.status IN ('admitted', 'completed', 'failed')))""",
    ),
    Kept(
        "result_certified_is_kept",
        "training_examresult",
        f"({RESULT_CHANGED} AND {PASSED_AND_CERTIFIED})",
        deletion=PASSED_AND_CERTIFIED,
    ),
    Guard("certificate_only_after_passing", "training_certificate", PASSED, on=["INSERT"]),
    # A certificate whose ground is gone can be revoked, but not made valid.
    Guard(
        "certificate_valid_only_after_passing",
        "training_certificate",
        f"(NEW.status = 'valid' AND {PASSED})",
        on=["UPDATE"],
    ),
    # What is said of its status may change; nothing that is printed on it.
    Kept(
        "certificate_keeps_what_it_says",
        "training_certificate",
        f"({PRINTED_CHANGED} OR {EXPIRY_CHANGED})",
    ),
    # -- what was learnt afterwards, and by which rules
    AppendOnly("attempt_is_never_changed", "training_contactattempt"),
    AppendOnly("observation_is_never_changed", "training_outcomeobservation"),
    AppendOnly("policy_is_never_changed", "people_policy"),
    AppendOnly("journal_is_never_changed", "people_journalentry"),
]


class Migration(migrations.Migration):
    dependencies = [("people", "0001_initial"), ("training", "0001_initial")]
    operations = operations(GUARDS)
