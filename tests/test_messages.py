"""Every sentence that a person can see has its Chinese."""

import io
from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings

CATALOGUE = Path(settings.BASE_DIR, "config/locale/zh_Hans/LC_MESSAGES/django.po")
KEYWORDS = {"_": None, "gettext": None, "gettext_lazy": None, "translate": None, "ngettext": (1, 2)}
METHODS = [("**.py", "python"), ("**/templates/**.html", "config.management.templates:extract")]
PACKAGES = ("config", "people", "training", "incubator", "api")


def catalogue():
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="zh_Hans")


def test_every_message_has_its_chinese():
    chinese = catalogue()
    messages = {
        message
        for package in PACKAGES
        for _file, _line, message, _comments, _context in extract_from_dir(
            Path(settings.BASE_DIR, package), METHODS, keywords=KEYWORDS
        )
        if isinstance(message, str)
    }

    missing = sorted(m for m in messages if not (chinese.get(m) and chinese.get(m).string))

    assert missing == []


def test_no_translation_loses_a_placeholder():
    for message in catalogue():
        if message.id and message.python_format:
            assert list(message.check()) == [], message.id


def test_the_compiled_catalogue_is_current():
    compiled = io.BytesIO()
    write_mo(compiled, catalogue())

    assert CATALOGUE.with_suffix(".mo").read_bytes() == compiled.getvalue()
