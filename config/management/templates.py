"""Let pybabel, which knows no Django templates, find the messages in them."""

from collections.abc import Collection, Iterator, Mapping
from io import BytesIO
from typing import Any, BinaryIO

from babel.messages.extract import extract_python
from django.utils.translation.template import templatize


def extract(
    file: BinaryIO,
    keywords: Mapping[str, Any],
    comment_tags: Collection[str],
    options: Any,
) -> Iterator[tuple[Any, ...]]:
    """Read the template as the Python calls its tags stand for, each on the line it has there."""
    calls = templatize(file.read().decode())
    return extract_python(BytesIO(calls.encode()), keywords, comment_tags, options)
