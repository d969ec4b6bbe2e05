"""Rosters as spreadsheets: the columns institutions and bureaus exchange, and writing them."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from people import identifiers, journal, workbooks
from people.models import Person, PersonCategory, User
from people.models.persons import sealed
from people.refusals import Refusal
from training.models import Enrolment, TrainingClass

_Education, _Category = Person.Education, PersonCategory.Category

# The first text of each is the one that is written; all of them are read. 序号 and 备注 carry
# nothing that the register keeps, so they are written and never read.
COLUMNS = {
    "name": ["姓名", "学员姓名"],
    "sex": ["性别"],
    "id_number": ["身份证号", "身份证号码", "公民身份号码", "居民身份证号码", "证件号码"],
    "phone": ["联系电话", "电话", "手机", "手机号", "手机号码", "电话号码", "联系方式"],
    "education": ["文化程度", "学历"],
    "categories": ["人员类别", "人员类型"],
    "region": ["户籍地", "户籍所在地", "户籍地址"],
    "employment_card_number": ["就业创业证号", "就业创业证编号", "就业创业证号码"],
}
REQUIRED = ["name", "id_number"]
HEADERS = ["序号", *(texts[0] for texts in COLUMNS.values()), "备注"]

SEXES: dict[str, list[str]] = {"male": ["男", "男性"], "female": ["女", "女性"]}
EDUCATION: dict[str, list[str]] = {
    _Education.POSTGRADUATE: ["研究生", "硕士", "博士", "硕士研究生", "博士研究生", "研究生及以上"],
    _Education.BACHELOR: ["本科", "大学本科", "大学"],
    _Education.JUNIOR_COLLEGE: ["大专", "大学专科", "专科", "高职"],
    _Education.SECONDARY_VOCATIONAL: [
        "中专", "中等职业", "中等专科", "中职", "职高", "职业高中", "技校", "技工学校",
    ],
    _Education.SENIOR_HIGH: ["高中", "普通高中"],
    _Education.JUNIOR_HIGH: ["初中"],
    _Education.PRIMARY: ["小学"],
    _Education.OTHER: ["其他", "文盲", "半文盲", "文盲或半文盲"],
    _Education.UNKNOWN: ["不详", "未知"],
}  # fmt: skip
CATEGORIES: dict[str, list[str]] = {
    _Category.REGISTERED_UNEMPLOYED: ["登记失业人员", "失业人员", "城镇登记失业人员"],
    _Category.LAID_OFF: ["下岗失业人员", "下岗人员", "下岗职工", "离岗失业人员"],
    _Category.DISPLACED_CAPACITY_CUT: ["去产能分流职工", "去产能职工", "去产能企业职工"],
    _Category.IDLED_STAFF: ["长期停产职工", "停产企业职工", "停产停工企业职工"],
    _Category.HARD_TO_EMPLOY: ["就业困难人员", "就业困难"],
    _Category.AGE_4050: ["大龄就业困难人员", "大龄人员", "4050人员", "40、50人员"],
    _Category.ZERO_HOUSEHOLD_MEMBER: ["零就业家庭成员", "零就业家庭"],
    _Category.DIBAO: ["低保人员", "低保", "低保对象", "低保家庭成员", "最低生活保障对象"],
    _Category.DISABLED: ["残疾人", "残疾人员"],
    _Category.LAND_LOST: ["失地农民", "被征地农民"],
    _Category.LONG_TERM_UNEMPLOYED: ["长期失业人员", "连续失业一年以上人员", "长期失业者"],
    _Category.LIFTED_POOR: ["脱贫劳动力", "脱贫人口", "脱贫户", "建档立卡贫困劳动力"],
    _Category.GRADUATE_UNPLACED: ["离校未就业高校毕业生", "未就业高校毕业生", "高校毕业生"],
    _Category.TWO_AFTERS: ["两后生"],
    _Category.RURAL_TRANSFER: ["农村转移就业劳动者", "农村转移劳动力", "农村劳动力"],
    _Category.RETURNING_MIGRANT: ["返乡农民工", "返乡人员"],
    _Category.VETERAN: ["退役军人", "退伍军人", "复员退伍军人"],
    _Category.STARTUP_INTENT: ["有创业意愿人员", "创业意愿人员"],
    _Category.ENTERPRISE_STAFF: ["企业在岗职工", "企业职工"],
    _Category.OTHER: ["其他", "其他人员"],
}


class PurposeRequired(Refusal):
    code = "purpose_required"
    title = _("Say what the full numbers are needed for.")


@transaction.atomic
def export(
    training_class: TrainingClass, *, full: bool, purpose: str, by: User, at: datetime
) -> bytes:
    """Write the roster as a workbook, masked unless ``full``; who took it and why is on record.

    :raises PurposeRequired: if the full numbers are asked for without saying what for
    """
    if full and not purpose:
        raise PurposeRequired
    people = training_class.enrolments.on_roster().select_related("person__region")
    if not full:
        people = people.defer(*sealed("person"))
    rows = list(people.order_by("person__name_initials", "person__name", "id"))
    journal.record(
        "roster.export", training_class, by=by, at=at, full=full, purpose=purpose, count=len(rows)
    )
    return workbooks.write_workbook(
        HEADERS,
        _rows(rows, full=full),
        title=f"{training_class.name}学员花名册",
        sheet_name="学员花名册",
    )


def _rows(enrolments: list[Enrolment], *, full: bool) -> Iterator[Sequence[workbooks.CellValue]]:
    for number, enrolment in enumerate(enrolments, start=1):
        person = enrolment.person
        card = person.employment_card_number
        yield [
            number,
            person.name,
            SEXES[person.sex][0],
            person.id_number if full else person.id_number_masked,
            person.phone if full else person.phone_masked,
            EDUCATION[person.education][0],
            "、".join(CATEGORIES[category][0] for category in enrolment.categories),
            person.region.name,
            card if full else identifiers.mask_id_number(card),
            "",
        ]
