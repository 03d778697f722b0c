"""What a request may bring: no more than its way needs, and nothing that cannot be stored."""

from __future__ import annotations

import gzip
import io
from types import SimpleNamespace

import pytest
from aiohttp import web

from core.access import Act, Role
from core.capabilities import Capabilities
from core.store import audit, transaction
from core.web import site
from core.web.ways import MOST_BYTES, MOST_FORM, OPEN, Way
from tests.web import board

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PART = b'--b\r\nContent-Disposition: form-data; name="a"\r\n%b\r\n\r\ny\r\n--b--'
MB = 2**20


async def length(request):
    """A room that reads what is sent, as those of forms do."""
    return web.Response(text=str(len(await request.post())))


WAYS = (
    *site.every(),
    Way("POST", "/form", length, Act.LOOK),
    Way("POST", "/written", length, Act.ANSWER),
    Way("POST", "/open", length, OPEN),
    Way("GET", "/said/{name}", length, Act.LOOK),
)


@pytest.fixture
def stage(pool):
    account = SimpleNamespace(name="mk", marketplace="mk", title="mk")
    spec = SimpleNamespace(can=lambda _: Capabilities())
    found = SimpleNamespace(account=account, spec=spec, options=None, own_mark=False)
    return board.Stage(pool, accounts={"mk": found})


@pytest.fixture
async def base(stage):
    async with board.served(stage, ways=WAYS) as base:
        yield base


async def sent(browser, path, size, csrf, **headers):
    """The status of a form of *size* bytes whose token stands in the header."""
    said = {**FORM, "X-CSRF-Token": csrf, **headers}
    body = io.BytesIO(b"name=" + b"x" * (size - 5))
    return (await browser.ask("POST", path, data=body, headers=said)).status


async def pieces():
    yield b"name="
    yield b"x" * 64


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/enter/x", "/take/x", "/open"])
async def test_a_stranger_sends_little_wherever_the_forms_token_stands(base, path):
    async with board.browsing(base) as stranger:
        csrf = (await stranger.get("/sign-in")).csrf

        assert await sent(stranger, path, 20_000, csrf) == 413
        said = {**FORM, "X-CSRF-Token": csrf}
        assert (await stranger.ask("POST", path, data=pieces(), headers=said)).status == 413


async def test_what_is_open_to_everybody_takes_no_more_of_somebody_who_is_known(stage, base):
    async with board.signed_in(stage, base) as anna:
        csrf = (await anna.get("/me")).csrf

        assert await sent(anna, "/open", 20_000, csrf) == 413
        assert await sent(anna, "/open", 10_000, csrf) == 200


async def test_each_way_takes_what_it_needs(stage, base):
    async with board.signed_in(stage, base) as anna:
        csrf = (await anna.get("/me")).csrf
        took = {
            (path, size): await sent(anna, path, size, csrf)
            for path in ("/form", "/written")
            for size in (MOST_FORM, MOST_FORM + 1)
        }
        assert took == {
            ("/form", MOST_FORM): 200, ("/form", MOST_FORM + 1): 413,
            ("/written", MOST_FORM): 200, ("/written", MOST_FORM + 1): 200,
        }  # fmt: skip
        assert await sent(anna, "/written", MOST_BYTES + 1, csrf) == 413
        said = {**FORM, "X-CSRF-Token": csrf}
        assert (await anna.ask("POST", "/form", data=pieces(), headers=said)).status == 413


async def test_what_is_squeezed_is_not_unfolded(stage, base):
    async with board.signed_in(stage, base) as anna:
        said = {**FORM, "X-CSRF-Token": (await anna.get("/me")).csrf, "Content-Encoding": "gzip"}
        body = gzip.compress(b"name=" + b"x" * MB)

        assert (await anna.ask("POST", "/form", data=body, headers=said)).status == 415


@pytest.mark.parametrize("kind", [FORM["Content-Type"], "multipart/form-data; boundary=b"])
async def test_nothing_that_a_stranger_squeezed_is_given_back_unfolded(base, kind):
    text = {
        "application/x-www-form-urlencoded": b"text=unfolded",
        "multipart/form-data; boundary=b": b'--b\r\nContent-Disposition: form-data; name="text"'
        b"\r\n\r\nunfolded\r\n--b--\r\n",
    }[kind]
    said = {"Content-Type": kind, "Content-Encoding": "gzip"}
    async with board.browsing(base) as stranger:
        whole = await stranger.ask(
            "POST", "/reply/mk/T1", data=text, headers={"Content-Type": kind}
        )
        seen = await stranger.ask("POST", "/reply/mk/T1", data=gzip.compress(text), headers=said)

    assert "unfolded" in whole.text
    assert "unfolded" not in seen.text


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"name=a", "application/x-www-form-urlencoded; charset=bogus"),
        (b"name=%ff", "application/x-www-form-urlencoded; charset=idna"),
        (b"name=a\xff", "application/x-www-form-urlencoded"),
        (b"x", "multipart/form-data"),
        (b"--b\r\n\r\n\xff\xfe\r\n--b--", "multipart/form-data; boundary=b"),
        (PART % b"Content-Transfer-Encoding: x", "multipart/form-data; boundary=b"),
        (PART % b"bad header", "multipart/form-data; boundary=b"),
    ],
)
async def test_a_body_that_cannot_be_read_is_a_bad_request_and_no_crash(base, body, kind, logged):
    async with board.browsing(base) as stranger:
        csrf = (await stranger.get("/sign-in")).csrf
        said = {"Content-Type": kind, "X-CSRF-Token": csrf}
        header = await stranger.ask("POST", "/sign-in", data=body, headers=said)
        field = await stranger.ask("POST", "/sign-in", data=body, headers={"Content-Type": kind})

    assert header.status in (400, 413)  # of a codec's fault is thought that fields are too many
    assert field.status in (400, 413)
    assert "crashed" not in str(logged)


ADDRESSES = ("/audit?who=%00", "/audit?act=%00", "/audit?account=%00", "/audit?thread=%00",
             "/macros/form?name=%00", "/?account=%00", "/said/a%00", "/me?%00=x")  # fmt: skip
LEVELS = {"level": "decided"}
REFUSED = (303, 400, 404, 422)
"""303: a number that is too large is none, and the form is one of something new."""
MACRO = {"name": "a", "title": "t", "language": "en", "body": "x"}
FORMS = (
    ("/claim/mk/a%00", {}),
    ("/release/mk/a%00", {}),
    ("/draft/mk/a%00", {}),
    ("/check/mk/a%00", {"text": "x"}),
    ("/mark/mk/a%00", LEVELS),
    ("/mark/mk/T1", {**LEVELS, "back": "\0"}),
    ("/promise/mk/T1", {"by": "2027-01-01T10:00", "reason": "\0"}),
    ("/people/grant", {"name": "\0", "role": "agent", "all": "1"}),
    ("/people/invite", {"name": "\0"}),
    ("/people/disable", {"name": "\0"}),
    ("/people/add", {"name": "zed", "role": "agent", "account": "\0"}),
    ("/macros/form", {**MACRO, "title": "t\0"}),
    ("/macros/form", {"name": "\0", "remove": "1"}),
    ("/macros/form", {**MACRO, "accounts": "\0"}),
    ("/macros/form", {"name": "c", "remove": "1", "revision": "9" * 30}),
    ("/macros/form", {**MACRO, "revision": "9" * 30}),
    ("/me/token", {"name": "t", "role": "agent", "account": "\0", "days": "7"}),
    ("/me/prefer", {"zone": "\0"}),
    ("/reply/mk/T1", {"text": "ab", "to": "buyer", "key": "\0"}),
    ("/reply/mk/T1", {"text": "ab", "to": "buyer", "use": "1", "macro": "\0"}),
)


async def test_what_cannot_be_stored_is_refused_and_no_crash(stage, base, logged):
    async with board.signed_in(stage, base, Role.ADMIN) as ada:
        csrf = (await ada.get("/me")).csrf
        found = {path: (await ada.get(path)).status for path in ADDRESSES}
        for path, data in FORMS:
            seen = await ada.ask("POST", path, data={**data, "csrf": csrf})
            found[f"{path} {sorted(data)}"] = seen.status
        nameless = {**FORM, "X-CSRF-Token": csrf}
        seen = await ada.ask("POST", "/me/prefer", data=b"%00=x", headers=nameless)
        found["a name"] = seen.status
    async with board.browsing(base) as stranger:
        found["/sign-in"] = (
            await stranger.post("/sign-in", {"name": "\0", "password": "x"}, form="/sign-in")
        ).status

    assert {path: status for path, status in found.items() if status not in REFUSED} == {}
    assert "crashed" not in str(logged)
    async with transaction(stage.pool) as db:
        assert await audit.lines(db, audit.Asked(act="refused"), None, "", 9) == []
