"""Bounds and examples for every value of the document, derived once from names and types."""

import re
from collections.abc import Mapping
from typing import Any

from drf_spectacular.drainage import warn

from api.schema_parts import NOT_BLANK, TEXT

INT32, INT64 = 2**31 - 1, 2**53 - 1
LENGTHS = {
    "uuid": 36,
    "date": 10,
    "date-time": 40,
    "uri": 2000,
    "email": 254,
    "decimal": 40,
    "binary": 12 * 1024 * 1024,
}
# An answer's text that states no bound of its own comes from columns that have one.
ANSWER_TEXT, ANSWER_ITEMS = 20_000, 1000
CHOICES = ("allOf", "oneOf", "anyOf")
# JSON Schema's "time" has an offset; a time of day in Shanghai has none.
TIME = r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?$"

UUID = "0198c0de-7a3b-7c4d-8e5f-0123456789ab"
FORMATS: dict[str, Any] = {
    "uuid": UUID,
    "date": "2026-03-02",
    "date-time": "2026-03-02T08:30:00+08:00",
    "uri": "https://qihang.example/verify/K7M2Q9X4",
    "email": "office@qihang.example",
    "binary": "",
}
# Examples for well-known names; every one is checked against its schema before it is used.
KNOWN: dict[str, Any] = {
    "phone": "13900000001",
    "phone_masked": "139****0001",
    "id_number": "430202190001010010",
    "id_number_masked": "430***********0010",
    "code": "123456",
    "region_id": "330100000000",
    "secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
    "parent_id": "330000000000",
    "name": "测试一",
    "reason": "家中有事",
    "purpose": "核对就业登记",
    "address": "示范路1号",
    "description": "面向转岗人员",
    "employer_name": "示例家政服务有限公司",
    "job_title": "护理员",
    "qualification": "高级技师",
    "employment_card_number": "4302020026000001",
    "refresh": "Zk3TQm1vY2FsLW9ubHktZXhhbXBsZS1yZWZyZXNoLTE",
    "starts_time": "08:30",
    "ends_time": "11:30",
    "topic": "基础知识",
    "basis": "示例文件2026年第1号",
    "note": "已核对",
    "device_id": "phone-1",
    "platform": "android",
    "version": "5f2b8c1d9e0a4b6c7d8e9f01",
    "latitude": "30.274084",
    "longitude": "120.155070",
    "radius_m": 200,
    "accuracy_m": 15,
    "capacity": 40,
    "planned_minutes": 180,
    "step": 59083400,
    "satisfaction": 5,
    "enrolment_opens_on": "2026-02-02",
    "enrolment_closes_on": "2026-02-27",
    "until": "2026-04-24",
    "effective_to": None,
    "ends_on": "2026-04-24",
    "ends_at": "2026-03-02T11:30:00+08:00",
    "valid_to": None,
    "credit_code": "91330100MA27XL0X1W",
    "employer_credit_code": "91330100MA27XL0X1W",
    "seats": 30,
    "seats_taken": 12,
    "limit": 20,
    "successor_id": None,
    "next": None,
    "previous": None,
}
GUESSES: tuple[Any, ...] = (
    "示例", "4500.00", "80.00", "0.80", "08:30",
    "0.9250",
    "U+20BB7", "30.2741", "330100000000", "123456", "phone-1", "sample",
    "K7M2Q9X4", "enrolment.apply", "2026-03", "A", "1", "a" * 32, "a" * 43, "a" * 64,
    "4a" * 12, "#/name", "/api/v1/classes?cursor=abc", "430202190001010010", "13900000001",
)  # fmt: skip


def types(schema: Mapping[str, Any]) -> set[str]:
    """Tell which JSON types a schema names."""
    named = schema.get("type", ())
    return {named} if isinstance(named, str) else set(named)


def bound(schema: Any, where: str, *, asked: bool) -> None:
    """Give every string, integer and array inside its bounds.

    What is ``asked`` of a client must state them itself, where they are enforced.
    """
    if not isinstance(schema, dict) or "$ref" in schema:
        return
    if not {"enum", "const"} & set(schema):
        for name, apply in BOUNDS.items():
            if name in types(schema):
                apply(schema, where, asked)
    if asked and schema.get("properties"):
        schema["additionalProperties"] = False
    for name, inner in schema.get("properties", {}).items():
        bound(inner, f"{where}.{name}", asked=asked)
    for inner in (
        schema.get("items"),
        schema.get("additionalProperties"),
        *(each for key in CHOICES for each in schema.get(key, ())),
    ):
        bound(inner, where, asked=asked)


def _string(schema: dict[str, Any], where: str, asked: bool) -> None:  # noqa: FBT001
    if schema.get("format") == "time":
        del schema["format"]
        schema.update(maxLength=15, pattern=TIME)
    kind = schema.get("format")
    if "maxLength" not in schema:
        if asked and kind not in LENGTHS:
            warn(f"{where} is a text without max_length")
        schema["maxLength"] = LENGTHS.get(kind or "", ANSWER_TEXT)
    if not kind and "pattern" not in schema:
        schema["pattern"] = NOT_BLANK if schema.get("minLength") else TEXT


def _integer(schema: dict[str, Any], where: str, asked: bool) -> None:  # noqa: FBT001
    if asked and not {"minimum", "maximum"} <= set(schema):
        warn(f"{where} is a whole number without min_value and max_value")
    schema["minimum"] = max(schema.get("minimum", -INT64), -INT64)
    schema["maximum"] = min(schema.get("maximum", INT64), INT64)
    small = schema["minimum"] >= -INT32 and schema["maximum"] <= INT32
    schema["format"] = "int32" if small else "int64"


def _array(schema: dict[str, Any], where: str, asked: bool) -> None:  # noqa: FBT001
    if "maxItems" not in schema:
        if asked and "enum" not in schema.get("items", {}):
            warn(f"{where} is a list without max_length")
        schema["maxItems"] = len(schema.get("items", {}).get("enum", ())) or ANSWER_ITEMS


BOUNDS = {"string": _string, "integer": _integer, "array": _array}


class Examples:
    """Makes a realistic, valid example of any schema of the document.

    A form whose members exclude each other declares examples of its own.
    """

    def __init__(self, schemas: Mapping[str, Any]) -> None:
        self.schemas = schemas

    def of(self, schema: Mapping[str, Any], name: str = "", path: tuple[str, ...] = ()) -> Any:
        """Make one; a schema that contains itself is left out the second time."""
        if "$ref" in schema:
            target = schema["$ref"].rsplit("/", 1)[1]
            return None if target in path else self.of(self.schemas[target], name, (*path, target))
        if "example" in schema:
            return schema["example"]
        for key in CHOICES:
            if key in schema:
                return self.of(schema[key][0], name, path)
        named = types(schema)
        if "object" in named:
            return self._object(schema, path)
        if "array" in named:
            least = schema.get("minItems", 0)
            inner = self.of(schema.get("items", {}), name, path)
            return [inner] * max(1, least) if inner is not None else []
        return self._scalar(schema, name, named)

    def _object(self, schema: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
        required = schema.get("required", ())
        made = {
            name: self.of(inner, name, path)
            for name, inner in schema.get("properties", {}).items()
            if name in required or not _is_neighbour(inner)
        }
        return {name: v for name, v in made.items() if v is not None or name in required}

    def _scalar(self, schema: Mapping[str, Any], name: str, named: set[str]) -> Any:
        if "enum" in schema:
            return schema.get("default", schema["enum"][0])
        if name in KNOWN and fits(KNOWN[name], schema):
            return KNOWN[name]
        if "boolean" in named:
            return schema.get("default", True)
        if {"integer", "number"} & named:
            return _number(schema, KNOWN.get(name, 1))
        if "string" in named:
            if schema.get("format") in FORMATS:
                return FORMATS[schema["format"]]
            found = next((guess for guess in GUESSES if fits(guess, schema)), None)
            if found is None:
                warn(f"no example for {name}: {schema.get('pattern')}")
            return found
        return None if "null" in named else {}


def _is_neighbour(schema: Mapping[str, Any]) -> bool:
    return {"type": "null"} in schema.get("anyOf", ())


def _number(schema: Mapping[str, Any], wanted: Any) -> Any:
    if "integer" not in types(schema) and isinstance(wanted, str):
        wanted = float(wanted)
    value = wanted if isinstance(wanted, int | float) else 1
    return min(max(value, schema.get("minimum", value)), schema.get("maximum", value))


def fits(value: Any, schema: Mapping[str, Any]) -> bool:
    """Tell whether a scalar is one that the schema allows."""
    named = types(schema)
    if value is None:
        return "null" in named
    if isinstance(value, int):
        return "integer" in named and _number(schema, value) == value
    if "string" not in named or schema.get("format", "decimal") != "decimal":
        return (
            "string" in named
            and schema.get("format") in {"date", "date-time"}
            and ((len(value) == 10) == (schema["format"] == "date"))
        )
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        return False
    return re.search(schema.get("pattern", ""), value) is not None
