"""What pages consist of: named by its hash, kept for good; and what is of others is unchanged."""

from __future__ import annotations

import gzip
import hashlib

import aiohttp
import pytest
from aiohttp import web

from core.configuration.access import Web
from core.web import app, files

VENDOR = files.FOLDER / "vendor"


@pytest.fixture
async def ask():
    serving = web.Application()
    serving.add_routes([web.route(way.method, way.path, way.answer) for way in files.WAYS])
    async with (
        app.served("web", Web(listen="127.0.0.1:0"), serving) as address,
        aiohttp.ClientSession(auto_decompress=False) as session,
    ):

        async def ask(path, **headers):
            async with session.get(address + path, headers=headers) as answer:
                return answer.status, await answer.read(), answer.headers

        yield ask


def test_what_is_of_others_is_as_they_published_it_and_says_by_which_licence():
    lines = (VENDOR / "NOTICE.txt").read_text().splitlines()
    sums = dict(reversed(line.split()) for line in lines[2:])

    assert {path.name for path in VENDOR.iterdir()} == {*sums, "NOTICE.txt"}
    for name, wanted in sums.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == wanted, name
    assert "Zero-Clause BSD" in (VENDOR / "htmx.LICENSE").read_text()


async def test_a_file_is_kept_for_good_under_a_name_that_holds_its_hash(ask):
    plain = (files.FOLDER / "board.css").read_bytes()
    path = files.address("board.css")

    status, body, headers = await ask(path, **{"Accept-Encoding": "identity"})

    assert (status, body) == (200, plain)
    assert hashlib.sha256(plain).hexdigest()[:12] in path
    assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert headers["Content-Type"] == "text/css; charset=utf-8"
    assert headers["X-Content-Type-Options"] == "nosniff"


async def test_a_browser_that_has_it_or_takes_less_is_sent_less(ask):
    path = files.address("htmx.min.js")

    _, packed, headers = await ask(path, **{"Accept-Encoding": "gzip, br"})
    status, body, _ = await ask(path, **{"If-None-Match": headers["ETag"]})

    assert headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed) == (VENDOR / "htmx.min.js").read_bytes()
    assert (status, body) == (304, b"")


@pytest.mark.parametrize("name", ["board.css", "board.000000000000.css", "..%2Fpages.py", "x"])
async def test_nothing_else_is_served(ask, name):
    assert (await ask(files.PATH + name))[0] == 404


def test_no_two_files_are_called_alike():
    names = [path.name for path in files.FOLDER.rglob("*") if path.suffix in files.TYPES]

    assert sorted(names) == sorted(files.files())
