"""What HTTP itself asks of the API: methods, Accept, Content-Type, HEAD, OPTIONS, unknown paths."""

from __future__ import annotations

import pytest

from core.web.api import accepting, problems
from tests.web import programs

JSON = "application/json"


@pytest.fixture
async def stage(pool):
    return await programs.seeded(pool)


@pytest.fixture
async def anna(stage, site):
    async with programs.program(stage, site) as asks:
        yield asks


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        ("", True), ("*/*", True), ("application/*", True), (JSON, True),
        ("Application/JSON", True),
        ("text/html, */*;q=0.8", True), ("application/json;charset=utf-8", True),
        ("text/html", False), ("application/json;q=0", False),
        ("*/*, application/json; q=0.0", False),
        ("application/*;q=0, application/json;q=0.1", True), ("text/*, image/png", False),
        ("*/*;q=0", False), ("nonsense", True), ("application/problem+json", False),
    ],
)  # fmt: skip
def test_what_accept_lets_in_is_what_names_it_most_closely(said, taken):
    assert accepting.accepts(said, JSON) is taken


async def test_who_takes_no_json_is_told_and_nothing_is_done(anna, pool):
    read = await anna.get("/me", Accept="text/html")
    done = await anna.ask("POST", "/claims/mk/T1", body={}, Accept="image/*")

    assert [(one.status, one.said["code"]) for one in (read, done)] == [(406, "not_acceptable")] * 2
    assert JSON in read.said["detail"]
    assert await pool.fetchval("select count(*) from claim") == 0


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/json; charset=latin-1", "application/xml"]
)
async def test_a_body_that_is_no_json_is_refused(anna, kind):
    answer = await anna.ask("POST", "/claims/mk/T1", body={}, Content_Type=kind)

    assert (answer.status, answer.said["code"]) == (415, "unsupported_media_type")


async def test_head_is_get_without_its_body(anna):
    there, none = await anna.ask("HEAD", "/me"), await anna.ask("HEAD", "/threads/mk/none")
    whole = await anna.get("/me")

    assert (there.status, there.raw, none.status, none.raw) == (200, b"", 404, b"")
    assert there.headers["ETag"] == whole.headers["ETag"]
    same = await anna.ask("HEAD", "/me", If_None_Match=whole.headers["ETag"])
    assert same.status == 304


async def test_options_and_what_is_not_allowed_say_what_can_be_asked(anna):
    options = await anna.ask("OPTIONS", "/promises/mk/T1")
    wrong = await anna.ask("PATCH", "/promises/mk/T1")
    read_only = await anna.ask("DELETE", "/me")

    assert (options.status, options.raw) == (204, b"")
    assert (wrong.status, wrong.said["code"]) == (405, "method_not_allowed")
    assert options.headers["Allow"] == wrong.headers["Allow"] == "DELETE,POST,PUT"
    assert read_only.headers["Allow"] == "GET,HEAD"


async def test_what_is_not_there_is_a_problem_as_well(anna):
    for method, path in (("GET", "/nothing"), ("POST", ""), ("OPTIONS", "/nothing")):
        answer = await anna.ask(method, path)
        assert (answer.status, answer.headers["Content-Type"].split(";")[0]) == (404, problems.TYPE)
        assert answer.said["type"] == "/api#problem-not_found"
        assert answer.headers["Cache-Control"] == "no-store"


def test_each_code_has_its_status_and_its_words():
    assert set(problems.MEANS) == set(problems.Code.__args__)
    assert {code: problems.wrong(code).told.status for code in problems.MEANS} == {
        code: int(status) for code, (status, _) in problems.MEANS.items()
    }
    assert problems.of_status(problems.HTTPStatus.GATEWAY_TIMEOUT).told.code == "failed"
