"""Notices: every code that is told has a sentence, and the sentence never breaks."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import translation

from people import notices
from training.models import Enrolment

TELLERS = {"tell", "tell_each", "_tell_seated"}
HALVES = ["people", "training", "incubator"]


def told_codes() -> Iterator[str]:
    """Read every code out of every call that tells somebody something."""
    for path in (p for half in HALVES for p in Path(settings.BASE_DIR, half).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and _name(node.func) in TELLERS:
                for argument in [*node.args, *(k.value for k in node.keywords if k.arg == "code")]:
                    yield from _codes(argument)


def _name(function: ast.expr) -> str:
    return getattr(function, "attr", getattr(function, "id", ""))


def _codes(argument: ast.expr) -> Iterator[str]:
    for node in [argument, *getattr(argument, "values", ())]:
        if isinstance(node, ast.IfExp):
            yield from (*_codes(node.body), *_codes(node.orelse))
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        yield argument.value
    elif isinstance(argument, ast.JoinedStr):
        # One code per status: f"enrolment.{first.status}".
        prefix = str(argument.values[0].value)
        yield from (f"{prefix}{status}" for status in Enrolment.Status.values)


def test_every_code_that_is_told_has_a_sentence():
    told = set(told_codes())

    assert {"class_cancelled", "certificate_issued", "follow_up_open", "person_confirmed"} <= told
    assert told <= set(notices.SENTENCES)


def test_sentence_is_made_in_the_language_of_the_reader():
    with translation.override("en"):
        said = notices.sentence("class_cancelled", {"name": "测试班"})

    assert said == "The class 测试班 was cancelled."


def test_moments_are_local_and_a_reason_is_added():
    facts = {
        "class_name": "测试班",
        "offer_expires_at": "2026-03-02T04:00:00+00:00",
        "reason": "名额释放",
    }

    with translation.override("en"):
        said = notices.sentence("enrolment.offered", facts)

    assert "2026-03-02 12:00" in said
    assert said.endswith("Reason: 名额释放")


def test_reason_that_the_rules_give_is_a_sentence_too():
    with translation.override("en"):
        said = notices.sentence("class_not_completed", {"reason": "low_attendance"})

    assert said.endswith("Reason: Attendance was too low.")


@pytest.mark.parametrize("code", [*notices.SENTENCES, "unheard_of"])
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_missing_facts_break_no_sentence(code, language):
    with translation.override(language):
        said = notices.sentence(code, {})

    assert said
    assert not re.search(r"%\(", said)


def test_percent_sign_in_a_fact_is_only_text():
    with translation.override("en"):
        said = notices.sentence("class_cancelled", {"name": "100%(s)班", "reason": "5% d"})

    assert said == "The class 100%(s)班 was cancelled. Reason: 5% d"
