"""What pages tell is said in their reader's language: sentences are constants that catalogues hold.

What is raised by a terminal's commands alone stays in English, and so does what a program is told.
"""

from __future__ import annotations

import ast
import re
from html.parser import HTMLParser

import grimp
import pytest

from core.access import Act, Role, Who
from core.desk import filling, limits
from core.errors import Mistaken, NotAllowed
from core.said import Said
from core.store import audit, mutes, transaction
from core.web import deeds, extracted, pages, words
from core.web.terms import TERMS
from core.wording.deadlines import _CORRECTIONS as CORRECTIONS
from tests.web import board
from tests.web.test_answer_page import PAGE, stage  # noqa: F401  # fixtures

CORE = words.HERE.parent
TELLERS = {"Mistaken", "NotAllowed", "Said"}
KNOWN = {
    "MAY_NOT[act]": "one of the constants beside it",
    "threads.UNKNOWN": "a constant of core.store.threads",
    "one.text": "limits.check: for commands alone",
    "*row": "a row of core.store.marked, which has a Said of its own",
    "why": "a connector's: said where the catalogues hold it, else marked as English",
}
"""What else than a constant in its place may be told, and why."""


def is_read(path):
    """Whether the extraction reads it for sentences."""
    name = path.relative_to(CORE)
    beside = [one for one in extracted.ELSEWHERE if one != "web/**"]
    return not any(name.match(one.replace("**", "*")) for one in [*beside, "web/api/*"])


READ = sorted(path for path in CORE.rglob("*.py") if is_read(path) and path.name != "errors.py")


def calls(path, names):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in names:
            yield node


def constants(path):
    """What a module's names stand for that are made by `phrase`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        ast.unparse(node.targets[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and ast.unparse(node.value.func).endswith("phrase")
    }


def is_constant(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def test_what_a_page_can_tell_is_a_constant_that_the_catalogues_hold():
    wrong = [
        f"{path.relative_to(CORE)}:{node.lineno}: {ast.unparse(node.args[0])}"
        for path in READ
        for known in [constants(path)]
        for node in calls(path, TELLERS)
        if not is_constant(node.args[0])
        if ast.unparse(node.args[0]) not in known | set(KNOWN)
    ]

    assert wrong == [], "write the sentence as a constant, and what varies in it as its facts"


def test_nobody_at_a_page_is_told_to_run_a_command():
    told = [str(message.id) for message in extracted.said()] + [*limits.SAID.values()]

    assert len(told) > 400
    assert [text for text in told if re.search(r"\breplyby [a-z]|(?<!\S)--[a-z]", text)] == []


def test_a_page_imports_nothing_whose_sentences_are_for_a_terminal_alone():
    graph = grimp.build_graph("core")
    for name in graph.find_descendants("core.web.api") | {"core.web.api"}:
        graph.remove_module(name)  # a program is told in English
    ours = graph.find_descendants("core.web") | {"core.web"}
    used = set().union(*(graph.find_upstream_modules(one) for one in ours))
    raising = {
        "core." + ".".join(path.relative_to(CORE).with_suffix("").parts)
        for path in CORE.rglob("*.py")
        if not is_read(path) and "api" not in path.parts and any(calls(path, TELLERS))
    }

    assert len(raising) > 10
    assert raising & used == set()


def written(path):
    """Acts and details that a module writes into the audit trail, as constants."""
    for node in calls(path, {"write", "_done", "_note", "_told"}):
        if len(node.args) > 2 and is_constant(node.args[2]):
            yield ("did" if ast.unparse(node.func) == "_told" else "act"), node.args[2].value
        for keyword in node.keywords:
            if keyword.arg == "detail" and isinstance(keyword.value, ast.Dict):
                yield from (("name", one.value) for one in keyword.value.keys)


def test_whatever_is_written_into_the_trail_has_words():
    found = {
        one
        for path in CORE.rglob("*.py")
        if "audit." in path.read_text(encoding="utf-8")
        for one in written(path)
    }
    acts = {word for kind, word in found if kind == "act"} | {"look", "read", "people", "overrule"}

    assert len(acts) > 15
    assert acts - set(TERMS["act"]) == set()
    assert {word for kind, word in found if kind == "did"} - set(deeds.WORDS["did"]) == set()
    assert {word for kind, word in found if kind == "name"} - set(deeds.NAMES) == set()
    assert {act.value for act in Act} - set(deeds.WORDS["asked"]) == set()


def test_a_sentence_is_told_in_its_readers_language_and_zone_and_in_english_to_a_terminal():
    fault = Mistaken(
        "an answer is promised there by %(at)s already; move that promise", at=board.NOW
    )
    reader = pages.Audience(None, "ko", "Asia/Seoul")

    assert str(fault).startswith("an answer is promised there by 2026-11-21 12:00 UTC already")
    assert reader.tell(fault.said, board.NOW) == (
        "이미 21:00까지 답변을 약속했습니다. 그 약속을 변경하세요."
    )


def test_a_role_is_told_by_its_name_and_a_command_to_a_terminal_alone():
    reader = pages.Audience(None, "ko", "UTC")
    fault = Mistaken("nobody is called %(name)s", name="x", hint="see: replyby people list")
    more = Said("a token may be %(role)s at most, as you are", {"role": Role.AGENT})

    assert str(fault) == "nobody is called x; see: replyby people list"
    assert reader.tell(fault.said, board.NOW) == "x(이)라는 사용자가 없습니다."
    assert "상담원" in reader.tell(more, board.NOW)
    assert str(NotAllowed("100 % of it")) == "100 % of it"


# whole pages


class Visible(HTMLParser):
    """The text of a page that is said to be in its language, and is no word of a program."""

    APART = frozenset({"script", "style", "code", "bdi", "datalist", "kbd", "time", "textarea"})
    EMPTY = frozenset({"input", "meta", "link", "br", "hr", "img"})

    def __init__(self):
        super().__init__()
        self.open, self.text = [], []

    def handle_starttag(self, tag, attrs):
        self.text.append("/")
        if tag not in self.EMPTY:
            apart = tag in self.APART or dict(attrs).get("lang", "ko") != "ko"
            self.open.append((tag, apart))

    def handle_endtag(self, tag):
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        if not any(apart for _, apart in self.open):
            self.text.append(data)


def latin(text):
    """The runs of words in Latin letters that are a sentence, or begin to be one."""
    page = Visible()
    page.feed(text)
    said = " ".join(" ".join(page.text).split())
    return [one[0] for one in SENTENCE.finditer(said) if one[0] != ASKED]


def faults(text):
    """What a page says that is wrong."""
    return "".join(
        re.findall(r'<(?:p|div) class="(?:wrong|warn fault)".*?</(?:p|div)>', text, re.DOTALL)
    )


ASKED = "Wo ist es"
"""What the buyer wrote."""
KOREAN = {"Accept-Language": "ko"}
THREAD = "/mk/T%2F1"


@pytest.fixture
async def lee(stage, site):  # noqa: F811  # fixtures
    """An administrator who reads Korean."""
    async with board.signed_in(stage, site, Role.ADMIN, name="lee") as browser:
        browser.session.headers.update(KOREAN)
        yield browser


@pytest.mark.parametrize(
    ("path", "sent", "form"),
    [
        ("/people/add", {"name": "Not a name!", "role": "agent", "all": "1"}, "/people"),
        ("/people/add", {"name": "new", "role": "emperor", "all": "1"}, "/people"),
        ("/people/add", {"name": "new", "role": "agent"}, "/people"),
        ("/people/add", {"name": "lee", "role": "agent", "all": "1"}, "/people"),
        ("/people/invite", {"name": "nobody"}, "/people"),
        ("/people/disable", {"name": "lee"}, "/people"),
        ("/people/token/end", {"number": "77"}, "/people"),
        ("/me/token", {"name": "", "role": "agent"}, "/me"),
        ("/me/token", {"name": "x", "role": "emperor"}, "/me"),
        ("/me/token", {"name": "x", "role": "agent", "days": "9999"}, "/me"),
        ("/macros/form", {"name": "x", "title": "x", "remove": "1"}, "/macros/form"),
        (f"/promise{THREAD}", {"by": "2020-01-01T00:00"}, PAGE),
        (f"/promise{THREAD}", {"by": "2029-01-01T00:00"}, PAGE),
        (f"/promise{THREAD}", {"by": "soon"}, PAGE),
        (f"/promise{THREAD}", {"withdraw": "1"}, PAGE),
        (f"/answered{THREAD}", {"at": "2029-01-01T00:00", "whom": "buyer"}, PAGE),
        (f"/answered{THREAD}", {"at": "2020-01-01T00:00", "whom": "buyer"}, PAGE),
        (f"/answered{THREAD}", {"at": "2026-11-21T12:30"}, PAGE),
        (f"/mark{THREAD}", {"level": "guessed"}, PAGE),
        (f"/reply{THREAD}", {"text": "x", "to": "buyer", "use": "1", "macro": "gone"}, PAGE),
        (f"/reply{THREAD}", {"text": "x", "to": "buyer", "follow_up": "soon"}, PAGE),
        ("/claim/mk/nowhere", {}, "/"),
    ],
)
async def test_what_can_be_mended_is_told_in_korean(lee, path, sent, form):
    seen = await lee.post(path, sent, form=form)

    assert 400 <= seen.status < 500
    assert latin(seen.text) == []
    assert HANGUL.search(faults(seen.text) or seen.text)


@pytest.mark.parametrize("query", ["band=brached", "bnad=1", "kind=?", "claimed=?", "after=then"])
async def test_a_view_that_is_none_is_told_of_in_korean(lee, query):
    seen = await lee.get(f"/?{query}")

    assert seen.status == 422
    assert latin(seen.text) == []


async def test_a_macro_that_cannot_be_saved_says_everything_in_korean(lee):
    form = {"name": "x", "title": "x", "language": "en", "accounts": "gone", "save": "1",
            "body": "{{colour}} " + "y" * 300 + "\x07"}  # fmt: skip

    seen = await lee.post("/macros/form", form, form="/macros/form")

    told = faults(seen.text)
    assert seen.status == 422
    assert latin(seen.text) == []
    assert (told.count("<li>"), "{{colour}}" in told) == (2, True)
    assert all(f"<code>{{{{{name}}}}}</code>" in seen.text for name in filling.VARIABLES)


async def test_the_trail_and_who_looked_stand_in_korean(lee, pool):
    async with transaction(pool) as db:
        for act in TERMS["act"]:
            detail = {"did": "added", "until": "2026-11-21 14:00 UTC", "live": 1, "by": "boss"}
            who = Who("anna", Role.AGENT, means="token")
            await audit.write(
                db, who, act, account="mk", thread="T/1", detail=detail, now=board.NOW
            )
    trail, thread = (await lee.get("/audit")).text, (await lee.get(PAGE)).text

    assert latin(trail) == []
    assert latin(thread) == []
    assert "추가 답변을 약속함" in trail
    assert "추가 답변을 약속함" in thread
    assert "토큰으로" in trail
    assert "14:00 UTC" not in trail


async def test_how_we_are_stands_in_korean_with_the_programs_words_marked(lee, stage, pool):  # noqa: F811  # fixtures
    async with pool.acquire() as db:
        end = await db.fetchval("select now() + interval '1 hour'")
        await mutes.put(db, "account", "mk", end, "mara", None)
    well = (await lee.get("/status")).text

    assert latin(well) == []


@pytest.mark.parametrize(
    ("name", "word"),
    [
        *(("ended", word) for word in ("met", "late", "void")),
        *(("metric", word) for word in ("first_reply", "next_reply", "given")),
        *(("reason", word) for word in ("decided", "withdrawn", "account_retired")),
        *(("correction", word) for word in CORRECTIONS),
    ],
)
def test_what_happened_to_a_clock_stands_in_korean(name, word):
    made = pages.environment("ko").from_string(
        '{% import "thread/words.html" as say with context %}{{ say.changed(name, word) }}'
    )
    said = made.render(name=name, word=word)

    assert HANGUL.search(said)
    assert not re.search("[a-z]{3}", said)


def test_what_a_connector_says_is_marked_as_english_where_nobody_translated_it():
    reader = pages.Audience(None, "ko", "UTC")
    made = pages.environment(reader.language).from_string("{{ text|foreign }}")

    assert made.render(text="no <way> leads there") == (
        '<span lang="en">no &lt;way&gt; leads there</span>'
    )
    assert HANGUL.search(made.render(text="a reply needs a text"))


HANGUL = re.compile("[\uac00-\ud7a3]")
SENTENCE = re.compile(r"(?:\b[A-Za-z']{2,} ){2,}[A-Za-z']{2,}")
