"""Set the guards: orders of events that the database itself refuses.

A later migration that alters one of these tables, or one they look at, writes its operations as
``operations = lifted(…)``: see ``people.guards``.
"""

from django.db import migrations

from people.guards import AppendOnly, Guard, operations

APPROVED = """NOT EXISTS (
    SELECT 1 FROM training_classsession s
    JOIN training_trainingclass c ON c.id = s.training_class_id
    WHERE s.id = NEW.session_id AND c.approved_at IS NOT NULL)"""
PASSED = """NOT EXISTS (
    SELECT 1 FROM training_enrolment e
    JOIN training_examresult r ON r.enrolment_id = e.id
    WHERE e.id = NEW.enrolment_id AND e.status = 'completed' AND r.outcome = 'passed')"""

GUARDS = [
    Guard(
        "event_accepted_only_after_approval",
        "training_attendanceevent",
        f"(NEW.verdict = 'accepted' AND {APPROVED})",
        on=["INSERT"],
    ),
    Guard("record_only_after_approval", "training_attendancerecord", f"({APPROVED})"),
    Guard("certificate_only_after_passing", "training_certificate", f"({PASSED})", on=["INSERT"]),
    # A certificate whose ground is gone can be revoked, but not made valid.
    Guard(
        "certificate_valid_only_after_passing",
        "training_certificate",
        f"(NEW.status = 'valid' AND {PASSED})",
        on=["UPDATE"],
    ),
    Guard(
        "enrolment_decided_only_after_class_start",
        "training_enrolment",
        """(NEW.status IN ('completed', 'failed', 'no_show') AND NOT EXISTS (
            SELECT 1 FROM training_trainingclass c
            WHERE c.id = NEW.training_class_id AND c.started_at IS NOT NULL))""",
    ),
    Guard(
        "result_passed_only_by_the_admitted",
        "training_examresult",
        """(NEW.outcome = 'passed' AND NOT EXISTS (
            SELECT 1 FROM training_enrolment e WHERE e.id = NEW.enrolment_id
            AND e.status IN ('admitted', 'completed', 'failed')))""",
    ),
    AppendOnly("event_is_never_changed", "training_attendanceevent"),
    AppendOnly("journal_is_never_changed", "people_journalentry"),
]


class Migration(migrations.Migration):
    dependencies = [("people", "0001_initial"), ("training", "0001_initial")]
    operations = operations(GUARDS)
