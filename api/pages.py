"""Pages for a browser: the front door, and what the code of a problem means."""

from functools import cache

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext as translate
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from api import problems
from people.refusals import Refusal

public = cache_control(public=True, max_age=3600)


@cache
def meanings() -> dict[str, tuple[int, str | Promise]]:
    """List what every code of a problem means: its status and its sentence."""
    found: dict[str, tuple[int, str | Promise]] = {
        code: (status, problems.TITLES[status]) for status, code in problems.CODES.items()
    }
    found |= {code: (400, sentence) for code, sentence in problems.SENTENCES.items()}
    found |= {code: (409, problems.SENTENCES[code]) for code in ("conflict", "in_progress")}
    found |= {one.code: (problems.STATUSES.get(one.code, 409), one.title) for one in _refusals()}
    return found


def _refusals(kind: type[Refusal] = Refusal) -> list[type[Refusal]]:
    found = [one for sub in kind.__subclasses__() for one in (sub, *_refusals(sub))]
    return [one for one in found if hasattr(one, "code")]  # a family has none of its own


@require_safe
@public
def front(request: HttpRequest) -> HttpResponse:
    """Lead to the documentation."""
    return render(request, "api/page.html", {"title": translate("The API of Qihang")})


@require_safe
@public
def problem(request: HttpRequest, code: str) -> HttpResponse:
    """Tell what the ``type`` of a problem stands for, in the reader's language."""
    if code not in meanings():
        return problems.plain(request, 404)
    status, title = meanings()[code]
    return render(request, "api/page.html", {"title": title, "code": code, "status": status})
