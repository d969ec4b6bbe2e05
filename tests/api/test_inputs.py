"""Texts at every door: characters that nobody sees are refused by name."""

import pytest
from rest_framework import serializers

from api.inputs import Form
from tests import factories

pytestmark = pytest.mark.django_db
UNSEEN = ["\x01", "\t", "\x1b", "\x7f", "\x9f", "\u202a", "\u202e", "\u2066", "\u2069"]


class Sample(Form):
    name = serializers.CharField(required=False)
    note = serializers.CharField(required=False)
    tags = serializers.ListField(child=serializers.CharField(), required=False)


def codes(**said):
    form = Sample(data=said)
    form.is_valid()
    return {name: [str(e.code) for e in errors] for name, errors in form.errors.items()}


@pytest.mark.parametrize("unseen", [*UNSEEN, "\n", "\r"])
def test_line_of_text_has_no_control_characters(unseen):
    assert codes(name=f"测{unseen}试") == {"name": ["invalid_characters"]}


@pytest.mark.parametrize("unseen", UNSEEN)
def test_prose_has_none_either_but_its_lines_may_end(unseen):
    assert codes(note=f"测{unseen}试") == {"note": ["invalid_characters"]}
    assert codes(note="第一行\n第二行") == {}


def test_list_of_texts_is_looked_at_one_by_one():
    form = Sample(data={"tags": ["测试", "测\u202e试"]})

    assert not form.is_valid()
    assert [errors[0].code for errors in form.errors["tags"].values()] == ["invalid_characters"]


@pytest.mark.parametrize("text", ["测试·样例", "Zhang Yangli", "买买提\u200d", "🙂", "عربي"])
def test_whatever_people_write_passes(text):
    assert codes(name=text, note=text) == {}


def test_door_names_the_member_and_echoes_nothing(as_, officer):
    said = {"name": "测\u202e试", "id_number": factories.id_number(), "region_id": factories.COUNTY}

    response = as_(officer).post("/api/v1/persons", said)

    assert response.status_code == 400
    errors = [(error["pointer"], error["code"]) for error in response.json()["errors"]]
    assert errors == [("#/name", "invalid_characters")]
    assert "\u202e" not in response.content.decode()


def test_phone_pasted_with_marks_of_direction_is_still_a_phone(as_):
    response = as_(None).post("/api/v1/auth/codes", {"phone": "\u202d13812340001\u202c"})

    assert response.status_code == 202
