"""Files of replies that programs send: the same limits and the same look at their content."""

from __future__ import annotations

from base64 import b64encode

import pytest

from core.access import Role
from core.store import audit, transaction
from tests.web import programs

HERE = "/mk/T%2F2"
KEY = {"Idempotency_Key": "order-1-reply-1"}
PDF = b"%PDF-1.7 " + bytes(range(256))


@pytest.fixture
async def stage(pool):
    return await programs.seeded(pool)


@pytest.fixture
async def anna(stage, site):
    async with programs.program(stage, site) as asks:
        yield asks


def file(content=PDF, name="../la\u202ebel.pdf"):
    return {"name": name, "content": b64encode(content).decode()}


async def send(who, what="replies", key=KEY, **said):
    return await who.ask("POST", f"/{what}{HERE}", body={"text": "Hier.", **said}, **key)


async def test_a_file_goes_along_as_what_it_is_and_comes_back_as_it_was(anna, pool):
    number = (await send(anna, files=[file()])).said["reply"]
    reply = (await anna.get(f"/replies/{number}")).said
    raw = await anna.get(f"/files/{number}/0")

    [told] = reply["files"]
    assert told == {"number": 0, "name": "la bel.pdf", "media_type": "application/pdf",
                    "size": len(PDF)}  # fmt: skip
    assert (raw.status, raw.raw) == (200, PDF)
    assert raw.headers["Content-Type"] == "application/octet-stream"
    assert raw.headers["Content-Disposition"] == "attachment; filename*=UTF-8''la%20bel.pdf"
    assert (await anna.get(f"/files/{number}/0", If_None_Match=raw.headers["ETag"])).status == 304
    async with transaction(pool) as db:
        looks = await audit.lines(db, audit.Asked(act="read"), None, "", 9)
    assert [look.detail for look in looks] == [{"reply": number, "file": 0}] * 2


async def test_what_the_marketplace_does_not_take_is_told_before_and_does_not_leave(anna, pool):
    wrong = [file(b"PK\x03\x04", "label.pdf"), file(PDF * 9), file(PDF)]
    told = (await send(anna, "checks", {}, files=wrong)).said["complaints"]
    refused = await send(anna, files=wrong)

    assert sorted(one["rule"] for one in told) == ["kind", "most_enclosed", "most_files"]
    assert (refused.status, refused.said["code"]) == (409, "unfit")
    assert refused.said["complaints"] == told
    assert await pool.fetchval("select count(*) from reply_file") == 0


async def test_a_file_goes_along_by_its_address_where_that_is_taken(anna, pool):
    sent = await send(anna, linked=["https://files.example/label.pdf"])
    nobodys = await send(anna, "checks", {}, linked=["https://127.0.0.1/"])

    assert (sent.status, nobodys.status, nobodys.said["code"]) == (202, 409, "refused")
    assert await pool.fetchval("select url from reply_file") == "https://files.example/label.pdf"
    number = sent.said["reply"]
    assert (await anna.get(f"/replies/{number}")).said["files"][0]["size"] is None
    assert (await anna.get(f"/files/{number}/0")).status == 404


async def test_files_that_were_taken_back_go_along_again_for_their_writer_alone(stage, site, anna):
    number = (await send(anna, files=[file()])).said["reply"]
    await anna.ask("POST", f"/undo/{number}")
    other = {"Idempotency_Key": "order-1-reply-2"}
    kept = {"reply": number, "numbers": [0, 0]}
    none = await send(anna, key=other, kept={**kept, "numbers": [1]})
    async with programs.program(stage, site, Role.LEAD, name="bo") as bo:
        not_theirs = await send(bo, key=other, kept=kept)
        hidden = await bo.get(f"/files/{number}/0")
    again = await send(anna, key=other, kept=kept)

    assert (none.status, not_theirs.status, hidden.status) == (409, 409, 404)
    assert again.status == 202
    assert (await anna.get(f"/files/{again.said['reply']}/0")).raw == PDF


async def test_one_key_with_another_file_is_another_reply(anna, pool):
    first = await send(anna, files=[file()])
    again = await send(anna, files=[file()])
    other = await send(anna, files=[file(PDF + b".")])

    assert (again.said["again"], again.said["reply"]) == (True, first.said["reply"])
    assert (other.status, other.said["code"]) == (409, "other_reply")
    await pool.execute("delete from reply_file")  # as when it has left
    assert (await send(anna, files=[file()])).said["again"]
    assert (await send(anna)).status == 409


@pytest.mark.parametrize("content", ["", "QUJ", "QUJD\n", "QUJD!", "QQ==QQ==", "_-__"])
async def test_what_is_no_base64_is_refused_and_not_quoted(anna, content):
    answer = await send(anna, "checks", {}, files=[{"name": "a.txt", "content": content}])

    assert (answer.status, answer.said["faults"][0]["where"]) == (422, "body.files.0.content")
    assert "QU" not in str(answer.said)


async def test_a_file_of_another_account_is_none(stage, site, anna):
    number = (await send(anna, files=[file()])).said["reply"]
    async with programs.program(stage, site, accounts=frozenset({"other"}), name="cy") as cy:
        assert (await cy.get(f"/files/{number}/0")).status == 404
