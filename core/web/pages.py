"""Turns facts into pages: one template environment a language, and what every page is sent with.

Templates escape whatever they are given, and an unknown name in one is an error. Nothing in a
page is inline and nothing comes from elsewhere, so the policy sent with it forbids both.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from aiohttp import web
from babel.numbers import format_decimal
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from core import labels
from core.access import Role
from core.configuration.board import SOURCE
from core.web import files, lettering, terms, words
from core.web.times import Times
from core.web.ways import WHO, parts

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.access import Who
    from core.said import Fact, Said

FOLDER = Path(__file__).resolve().parent / "templates"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
CSRF = web.RequestKey("csrf", str)
"""What a form of this session says so that it is known to be ours; set by `core.web.site`."""


@dataclass(frozen=True, slots=True)
class Audience:
    """For whom something is written: who (None: nobody who is known), language and zone."""

    who: Who | None
    language: str
    zone: str

    def say(self, text: str) -> str:
        """*text* in their language."""
        return words.catalogues()[self.language].gettext(text)

    def tell(self, said: Said, now: datetime) -> str:
        """*said* in their language, its instants in their zone."""
        times = Times(self.language, self.zone, now, self.say)
        return self.say(said.text) % {name: _fact(f, times) for name, f in said.facts.items()}


def audience(request: web.Request) -> Audience:
    """Who reads the answer to *request*, and how: by their choice, the browser's, the settings'."""
    who = request.get(WHO)
    board = parts(request).settings().board
    own = who.language if who else None
    accepted = request.headers.get("Accept-Language", "")
    return Audience(
        who, words.language((own, board.language), accepted), (who and who.zone) or board.zone
    )


def _fact(fact: Fact, times: Times) -> Fact:
    if isinstance(fact, Role):
        return times.say(terms.term("role", fact))
    return times.clock(fact) if isinstance(fact, datetime) else fact


def tell(request: web.Request, said: Said) -> str:
    """*said* as who asks reads it."""
    return audience(request).tell(said, parts(request).now())


def page(
    request: web.Request, template: str, *, status: int = 200, **facts: object
) -> web.Response:
    """*template* with *facts*, as the answer to *request*: never stored, gzip'd where accepted."""
    text = fragment(request, template, **facts)
    response = web.Response(text=text, content_type="text/html", status=status, headers=HEADERS)
    response.enable_compression()
    return response


def fragment(request: web.Request, template: str, **facts: object) -> str:
    """*template* with *facts* for who asks."""
    token = request.get(CSRF, "")
    return render(
        template, audience(request), parts(request).now(), csrf=token, path=request.path, **facts
    )


def render(
    template: str,
    reader: Audience,
    now: datetime,
    *,
    csrf: str = "",
    path: str = "",
    **facts: object,
) -> str:
    """*template* with *facts* for *reader*, as of *now*. Without *csrf* it can hold no form.

    Raises:
        UndefinedError: the template names what is neither given nor a global.
    """
    times = Times(reader.language, reader.zone, now, reader.say)
    return (
        environment(reader.language)
        .get_template(template)
        .render(
            who=reader.who,
            may=reader.who.may if reader.who else _nothing,
            zone=reader.zone,
            now=now,
            path=path,
            csrf=lambda: _field(csrf),
            csrf_token=csrf,
            times=times,
            instant=times.instant,
            left=times.left,
            since=times.since,
            ago=times.ago,
            told=partial(reader.tell, now=now),
            **facts,
        )
    )


@cache
def environment(language: str) -> Environment:
    """The templates in *language*, each compiled once."""
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    found = words.catalogues()[language]
    made.install_gettext_callables(found.gettext, found.ngettext, newstyle=True)  # type: ignore[attr-defined]  # by the extension
    made.filters["line"] = lettering.line
    made.filters["number"] = partial(format_decimal, locale=words.locale(language))
    made.filters["say"] = found.gettext
    made.filters["foreign"] = partial(_foreign, found.gettext, language)
    made.globals.update(
        lang=language,
        static=files.address,
        thread_path=thread_path,
        bands=labels.BANDS,
        signs=dict(terms.SIGNS),
        sign=terms.SIGNS.__getitem__,
        term=lambda of, word: found.gettext(terms.term(of, word)),
        words_of=lambda of: {word: found.gettext(text) for word, text in terms.TERMS[of].items()},
        tongue=partial(words.tongue, language),
    )
    return made


def _foreign(say: Callable[[str], str], language: str, text: str) -> str | Markup:
    """What a connector says: in *language* where its sentence is known, else marked as English."""
    told = say(text)
    if told != text or language == SOURCE:
        return lettering.line(told)
    return Markup('<span lang="{}">{}</span>').format(SOURCE, lettering.line(text))


def thread_path(account: str, thread: str, act: str = "thread") -> str:
    """The path of *act* about a thread, whatever stands in its id."""
    return f"/{act}/{quote(account, safe='')}/{quote(thread, safe='')}"


def _field(token: str) -> Markup:
    return Markup('<input type="hidden" name="csrf" value="{}">').format(token)


def _nothing(*_asked: object) -> bool:
    """What somebody may do who is not known."""
    return False
