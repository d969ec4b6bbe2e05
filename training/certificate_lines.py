"""Breaking a certificate's sentence into lines, as Chinese typesetting does."""

import re
from collections.abc import Iterator

from training.certificate_shapes import Line, Run, text_width

_CLOSERS = frozenset("，。、；：？！）》”’】…,.;:?!)]}%/")
_OPENERS = frozenset("（《“‘【([{")
_PIECES = re.compile(r"[0-9A-Za-z*@_'’.\-]+/?|.", re.DOTALL)


def wrap(runs: tuple[Run, ...], size: float, width: float, indent: float) -> list[Line]:
    lines: list[list[Run]] = [[]]
    left = width - indent
    for chunk in _chunks(runs, width - indent, size):
        needed = width_of(chunk, size)
        if needed > left and lines[-1]:
            lines.append([])
            left = width
        if not lines[-1] and chunk[0].text == " ":
            continue
        lines[-1].extend(chunk)
        left -= needed
    return [_merged(line) for line in lines]


def _chunks(runs: tuple[Run, ...], width: float, size: float) -> Iterator[list[Run]]:
    """Yield the stretches between which a line may break, none wider than a line."""
    chunk: list[Run] = []
    for piece in _pieces(runs):
        if chunk and not _glued(chunk[-1], piece):
            yield from _broken(chunk, width, size)
            chunk = []
        chunk.append(piece)
    yield from _broken(chunk, width, size)


def _pieces(runs: tuple[Run, ...]) -> Iterator[Run]:
    for run in runs:
        for found in _PIECES.finditer(run.text):
            yield Run(found.group(), run.strong)


def _glued(before: Run, after: Run) -> bool:
    return before.text in _OPENERS or after.text[0] in _CLOSERS


def _broken(chunk: list[Run], width: float, size: float) -> Iterator[list[Run]]:
    if width_of(chunk, size) <= width:
        yield chunk
        return
    for run in chunk:
        for character in run.text:
            yield [Run(character, run.strong)]


def width_of(chunk: list[Run], size: float) -> float:
    return sum(text_width(run.text, size) for run in chunk)


def _merged(line: list[Run]) -> Line:
    merged: list[Run] = []
    for run in line:
        if merged and merged[-1].strong == run.strong:
            merged[-1] = Run(merged[-1].text + run.text, run.strong)
        else:
            merged.append(run)
    if merged:
        merged[-1] = Run(merged[-1].text.rstrip(" "), merged[-1].strong)
    return tuple(merged)
