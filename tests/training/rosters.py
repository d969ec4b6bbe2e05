"""Spreadsheets as institutions send them, made for the tests; everybody in them is invented."""

import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import xlsxwriter
from django.utils import timezone

from people.models import User
from tests import factories
from training import roster_imports
from training.models import RosterImport, TrainingClass

HEADERS = [
    "序号",
    "姓名",
    "性别",
    "身份证号",
    "联系电话",
    "文化程度",
    "人员类别",
    "户籍地",
    "就业创业证号",
    "备注",
]  # fmt: skip


def person(**given: Any) -> dict[str, Any]:
    """One good row, by header; give what is to differ."""
    row = {
        "序号": "1",
        "姓名": "测试一",
        "性别": "女",
        "身份证号": factories.id_number(),
        "联系电话": factories.phone(),
        "文化程度": "初中",
        "人员类别": "登记失业人员",
        "户籍地": "",
        "就业创业证号": "4302020015000001",
        "备注": "",
    }
    return row | given


def workbook(
    rows: Sequence[dict[str, Any]],
    headers: Sequence[str] = HEADERS,
    *,
    title: str | None = None,
    total: bool = False,
) -> bytes:
    """Write rows as a clerk does: a merged title above, perhaps a total below; text as text."""
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True})
    sheet = book.add_worksheet("花名册")
    top = 0
    if title is not None:
        sheet.merge_range(0, 0, 0, len(headers) - 1, title)
        top = 1
    sheet.write_row(top, 0, headers)
    for line, row in enumerate(rows, start=top + 1):
        for at, header in enumerate(headers):
            value = row.get(header, "")
            if isinstance(value, str):
                sheet.write_string(line, at, value)
            else:
                sheet.write_number(line, at, value)
    if total:
        sheet.merge_range(top + len(rows) + 1, 0, top + len(rows) + 1, 2, f"合计{len(rows)}人")
    book.close()
    return content.getvalue()


def csv(rows: Sequence[dict[str, Any]], encoding: str = "gb18030") -> bytes:
    lines = [HEADERS, *([row[header] for header in HEADERS] for row in rows)]
    return "\r\n".join(",".join(map(str, line)) for line in lines).encode(encoding)


def imported(
    training_class: TrainingClass,
    content: bytes,
    by: User | None = None,
    at: datetime | None = None,
    **given: Any,
) -> RosterImport:
    """Hand a sheet in and let the work on it be done at once."""
    job = roster_imports.request(
        training_class,
        content,
        "花名册.xlsx",
        by=by or training_class.created_by,
        at=at or timezone.now(),
        **({"dry_run": False, "on_bad_rows": "nothing"} | given),
    )
    job.refresh_from_db()
    return job


def reasons(job: RosterImport) -> list[tuple[int, str, str]]:
    return [(bad["row"], bad["column"], bad["code"]) for bad in job.bad_rows]
